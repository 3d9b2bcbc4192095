"""Folders that training leaves → results: what is in them, what is skipped and why, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganbench import plugins
from ganbench.errors import UsageError
from ganbench.plan.build import plan
from ganbench.plan.data import resolve_data
from ganbench.plan.spec import RunSpec
from ganbench.plan.suite import read_suite
from ganbench.rank.records import read_record
from ganbench.record.head import EARLIER
from ganbench.record.progress import Progress, Scoring, read_scoring
from ganbench.score.extraction import prepare
from ganbench.score.references import References
from ganbench.score.scorer import Scorer
from ganbench.storage import cache_dir

Read = Callable[[Path], dict[str, Any]]
COLUMNS = [
    "fd/tiny-net",
    "classifier-score/tiny-net",
    "kid/tiny-net",
    "precision/tiny-net",
    "recall/tiny-net",
    "label-gap",
]


@pytest.fixture
def scorer(plugin: str) -> Scorer:
    return Scorer([plugin])


def by_column(record: dict[str, Any], variant: str = "last-ema") -> dict[str, dict[str, Any]]:
    return {s["column"]: s for s in record["scores"] if s["variant"] == variant}


def test_every_variant_has_every_column_and_the_record_ranks(tiny: Any, scorer: Scorer, result: Read) -> None:
    folder = tiny.trained()
    scorer.score(folder)
    record, spec = result(folder), tiny.runs["mlp · non-saturating"]
    assert read_record(folder) is not None
    assert (record["status"], record["run_id"], record["entry"]["key"]) == ("completed", spec.run_id, spec.entry_key)
    ema, raw = by_column(record), by_column(record, "last-raw")
    assert list(ema) == list(raw) == COLUMNS == record["suite"]["columns"]
    assert all(s["value"] is not None and s["skipped"] is None for s in record["scores"])
    assert {s["headline_variant"] for s in ema.values()} == {True} and not any(
        s["headline_variant"] for s in raw.values()
    )
    assert 0 < ema["fd/tiny-net"]["value"] < raw["fd/tiny-net"]["value"]
    assert {c: s["n"] for c, s in ema.items()} == dict.fromkeys(COLUMNS, 600) | {COLUMNS[3]: 400, COLUMNS[4]: 400}
    for column in COLUMNS:
        assert ema[column]["fingerprint"] == raw[column]["fingerprint"]
        assert ema[column]["comparability"] == raw[column]["comparability"] != ema[column]["fingerprint"]
    measurement = ema["fd/tiny-net"]["measurement"]
    assert measurement["quantisation"] == "uint8 clamp(round(127.5x+127.5), 0, 255)"
    assert measurement["reference"]["split"] == "test" and measurement["reference"]["size"] == 700
    assert ema["label-gap"]["measurement"]["extractor"] is None
    check = record["sanity"]["last-ema"]
    assert (
        len(check["histogram"]) == 4 and sum(check["histogram"]) == pytest.approx(1) and 0.25 < check["confidence"] < 1
    )
    assert [(x["cycle"], x["n"], x["split"], x["column"]) for x in record["looks"]] == [
        (5, 200, "val", "fd/tiny-net"),
        (10, 200, "val", "fd/tiny-net"),
    ]
    assert record["looks"][0]["fingerprint"] != ema["fd/tiny-net"]["fingerprint"]
    assert sorted(p.name for p in (folder / "samples").glob("look*")) == []
    assert (folder / "samples" / "last-raw.npy").is_file()
    assert read_scoring(folder) is None, "it is over"


def test_the_error_of_a_finite_sample_and_the_parts_of_a_value_stand_beside_it(
    tiny: Any, scorer: Scorer, result: Read
) -> None:
    label = "mlp · non-saturating"
    run = tiny.runs[label]
    metrics = [*run.score["metrics"], {"name": "brightness", "params": {}}]
    tiny.runs[label] = replace(run, score={**run.score, "metrics": metrics})
    folder = tiny.trained()
    scorer.score(folder)
    found = by_column(result(folder))
    for column in COLUMNS[:5]:
        error = found[column]["sampling_error"]
        assert 0 < error["value"] < abs(found[column]["value"]) + 0.1 and error["method"]
        assert found[column].get("parts") is None
    assert found["recall/tiny-net"]["sampling_error"]["groups"] == 8
    assert found["label-gap"]["sampling_error"] is None
    images = np.load(folder / "samples" / "last-ema.npy")
    error = found["brightness"]["sampling_error"]
    assert (error["method"], error["groups"]) == ("delete-a-group jackknife", 12)
    assert error["value"] == pytest.approx(images.mean((1, 2, 3)).std() / 600**0.5, rel=0.4)
    assert list(found["brightness"]["parts"].values()) == pytest.approx(list(images.mean((0, 1, 3))))
    assert all("sampling_error" not in look for look in result(folder)["looks"])
    assert read_record(folder) is not None


def test_how_far_it_is_is_told_while_it_lasts(tiny: Any, plugin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Scoring] = []
    monkeypatch.setattr(Progress, "tell", lambda self, state, now=False: told.append(state))
    folder = tiny.trained()
    Scorer([plugin]).score(folder)
    images = 2 * 600 + 2 * 200 + 2 * 700  # two variants, two looks, and test and val
    assert told[0] == Scoring("tiny-net", 0, images, pytest.approx(images / 1e5)), "the estimate comes first"
    extracted = [state for state in told[1:] if state.what == "tiny-net"]
    assert extracted[-1].done == extracted[-1].total == images and extracted[-1].seconds_left == 0
    assert [state.done for state in extracted] == sorted(state.done for state in extracted)
    metrics = [state for state in told if state.what.startswith("metric ")]
    assert [(s.done, s.total) for s in metrics] == [(at, 12) for at in range(12)]
    assert metrics[0].what == "metric frechet-distance"


def test_measured_again_the_looks_stand_whose_samples_are_gone(tiny: Any, scorer: Scorer, result: Read) -> None:
    folder = tiny.trained()
    scorer.score(folder)
    first = result(folder)
    (folder / "result.json").rename(folder / EARLIER)  # as a command leaves it whose plan asks for other scores
    scorer.score(folder)
    assert result(folder)["looks"] == first["looks"] and len(first["looks"]) == 2
    assert not (folder / EARLIER).exists()
    (folder / "result.json").unlink()
    scorer.score(folder)
    assert result(folder)["looks"] == [] and by_column(result(folder)) == by_column(first)


def test_scoring_again_gives_the_same(tiny: Any, plugin: str, result: Read) -> None:
    folder = tiny.trained()
    records = []
    for _ in range(2):
        Scorer([plugin]).score(folder)
        records.append(result(folder) | {"finished": None})
    assert records[0] == records[1]


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", None])
def test_a_cache_is_used_and_a_damaged_one_mended(tiny: Any, plugin: str, result: Read, damage: Any) -> None:
    folder = tiny.trained()
    Scorer([plugin]).score(folder)
    before, files = result(folder)["scores"], sorted((cache_dir() / "features").iterdir())
    assert len(files) == 2  # test and val
    whole = [file.read_bytes() for file in files]
    stamps = [file.stat().st_mtime_ns for file in files]
    if damage:
        for file, data in zip(files, whole, strict=True):
            file.write_bytes(damage(data))
    folder = tiny.trained("again")
    Scorer([plugin]).score(folder)
    assert result(folder)["scores"] == before
    assert [file.read_bytes() for file in files] == whole
    if not damage:
        assert [file.stat().st_mtime_ns for file in files] == stamps


def test_features_of_one_kind_of_device_are_not_anothers(tiny: Any, scorer: Scorer) -> None:
    folder = tiny.trained()
    scorer.score(folder)
    planned = RunSpec.read(folder).score
    references = References(tiny.registry.get("dataset", planned["dataset"]))

    def unread(device: str) -> int:
        return references.unread(prepare(planned["extractors"][0], tiny.registry, {}, device), "val")

    assert unread("cpu") == 0 and unread("cuda:0") == unread("cuda:1") == len(tiny.images("val")[0])


def test_real_is_the_validation_split_and_noise_is_far(tiny: Any, scorer: Scorer, result: Read) -> None:
    floor = tiny.scale("real", {"split": "val"})
    noise = np.random.default_rng(0).integers(0, 256, (600, 1, 8, 8), np.uint8)
    ceiling = tiny.scale("noise", {}, noise)
    for folder in (floor, ceiling):
        scorer.score(folder)
    lowest, highest = (by_column(result(f), "scale") for f in (floor, ceiling))
    assert lowest["fd/tiny-net"]["value"] < 0.05 < highest["fd/tiny-net"]["value"]
    assert lowest["fd/tiny-net"]["fingerprint"] == highest["fd/tiny-net"]["fingerprint"]
    assert lowest["label-gap"]["value"] is not None
    assert (highest["label-gap"]["value"], highest["label-gap"]["skipped"]) == (None, "no labels")


def test_too_few_samples_leave_out_what_cannot_be_measured(tiny: Any, scorer: Scorer, result: Read) -> None:
    folder = tiny.trained()
    full = by_column(_scored(scorer, folder, result))
    for suffix in ("npy", "labels.npy"):
        file = folder / "samples" / f"last-ema.{suffix}"
        np.save(file, np.load(file)[:250])
    few = by_column(_scored(scorer, folder, result))
    assert few["kid/tiny-net"]["skipped"] == "subsets of 300 from 250 samples" and few["kid/tiny-net"]["value"] is None
    assert few["fd/tiny-net"]["n"] == 250 and few["fd/tiny-net"]["value"] is not None
    assert few["fd/tiny-net"]["fingerprint"] != full["fd/tiny-net"]["fingerprint"]


def test_what_changes_a_number_changes_its_fingerprint(tiny: Any, scorer: Scorer, result: Read) -> None:
    name = "mlp · non-saturating"
    spec = tiny.runs[name]
    before = by_column(_scored(scorer, tiny.trained("before"), result))
    metrics = [dict(m) for m in spec.score["metrics"]]
    metrics[2]["params"] = {**metrics[2]["params"], "degree": 2}
    tiny.runs[name] = replace(spec, score={**spec.score, "metrics": metrics})
    other = by_column(_scored(scorer, tiny.trained("metric"), result))
    assert {c for c in COLUMNS if before[c]["fingerprint"] != other[c]["fingerprint"]} == {"kid/tiny-net"}
    tiny.runs[name] = replace(spec, data={"A": {**spec.data["A"], "sha256": "0" * 64}})
    other = by_column(_scored(scorer, tiny.trained("data"), result))
    assert all(before[c]["fingerprint"] == other[c]["fingerprint"] for c in COLUMNS)
    assert all(before[c]["comparability"] != other[c]["comparability"] for c in COLUMNS)
    metrics[2]["params"] = {"degrees": 2}
    tiny.runs[name] = replace(spec, score={**spec.score, "metrics": metrics})
    with pytest.raises(UsageError, match="metric 'kid' has no parameter 'degrees'"):
        scorer.score(tiny.trained("typo"))


def test_the_real_labels_are_in_the_fingerprint_of_what_looks_at_them(
    tiny: Any, plugin: str, tmp_path: Path, result: Read
) -> None:
    """And in no other: samples under other labels are the same samples."""
    other = tmp_path / "relabelled.py"
    other.write_text(
        Path(plugin).read_text().replace("return x.astype(np.uint8), y", "return x.astype(np.uint8), 3 - y")
    )
    found = {}
    for file in (plugin, str(other)):
        suite = read_suite(tmp_path / "tiny.toml")
        registry = plugins.load([file])
        made = plan(suite, suite.tier(None), registry, resolve_data(suite, suite.tier(None), registry), device="cpu")
        run = next(run for run in made.runs if run.kind == "trained")
        metrics = [{"name": name, "params": {}} for name in ("label-gap", "brightness")]
        tiny.runs = {run.entry["label"]: replace(run, score={**run.score, "metrics": metrics, "extractors": []})}
        folder = tiny.trained(Path(file).stem, looks=[])
        Scorer([file]).score(folder)
        found[file] = by_column(result(folder))
    first, second = found.values()
    assert first["label-gap"]["fingerprint"] != second["label-gap"]["fingerprint"]
    assert first["brightness"]["fingerprint"] == second["brightness"]["fingerprint"]
    assert set(first["brightness"]["measurement"]["reference"]) == {"dataset", "split", "sha256", "size"}
    assert len(first["label-gap"]["measurement"]["reference"]["labels"]) == 64


def test_a_reference_that_is_not_there_is_a_reason(
    tiny: Any, scorer: Scorer, result: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINY_ABSENT", "1")
    for folder, variant in ((tiny.trained(), "last-ema"), (tiny.scale("real", {"split": "val"}), "scale")):
        scores = by_column(_scored(scorer, folder, result), variant)
        assert {(s["value"], s["skipped"]) for s in scores.values()} == {(None, "tiny: not on this machine")}
    assert read_record(folder) is not None


def test_diverged_and_skipped_are_results(tiny: Any, scorer: Scorer, result: Read) -> None:
    folder = tiny.trained(status="diverged", reason="not finite", variants=[], looks=[])
    scorer.score(folder)
    record = result(folder)
    assert (record["status"], record["reason"], record["scores"]) == ("diverged", "not finite", [])
    spec = replace(tiny.runs["mlp · non-saturating"], skip="takes no images")
    spec.write(tiny.place / "skipped")
    scorer.score(tiny.place / "skipped")
    assert result(tiny.place / "skipped")["reason"] == "takes no images"


def test_what_a_run_gave_before_it_diverged_is_scored(tiny: Any, scorer: Scorer, result: Read) -> None:
    looks = [{"cycle": 5, "real_images": 320, "seconds": 1.5, "file": "look-1"}]
    folder = tiny.trained(status="diverged", reason="not finite", variants=[], looks=looks)
    scorer.score(folder)
    record = result(folder)
    assert (record["status"], record["scores"]) == ("diverged", [])
    assert [(look["cycle"], look["column"], look["split"]) for look in record["looks"]] == [(5, "fd/tiny-net", "val")]
    assert record["looks"][0]["value"] > 0
    assert read_record(folder) is not None


def _scored(scorer: Scorer, folder: Path, result: Read) -> dict[str, Any]:
    scorer.score(folder)
    return result(folder)


def remove(folder: Path) -> None:
    (folder / "samples" / "last-raw.npy").unlink()


def floats(folder: Path) -> None:
    np.save(folder / "samples" / "last-raw.npy", np.zeros((600, 1, 8, 8), np.float32))


def flat(folder: Path) -> None:
    np.save(folder / "samples" / "last-raw.npy", np.zeros((600, 64), np.uint8))


def objects(folder: Path) -> None:
    np.save(folder / "samples" / "last-raw.npy", np.array([{}]), allow_pickle=True)


def half(folder: Path) -> None:
    file = folder / "samples" / "last-raw.npy"
    file.write_bytes(file.read_bytes()[:1000])


def labels(folder: Path) -> None:
    np.save(folder / "samples" / "last-raw.labels.npy", np.zeros(3, np.int64))


def elsewhere(folder: Path) -> None:
    trained = json.loads((folder / "trained.json").read_text())
    trained["variants"][0]["name"] = "../../secret"
    (folder / "trained.json").write_text(json.dumps(trained))


def untrained(folder: Path) -> None:
    (folder / "trained.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (remove, "last-raw.npy: cannot be read"),
        (floats, "must be uint8"),
        (flat, "samples of shape"),
        (objects, "no array of NumPy"),
        (half, "no array of NumPy"),
        (labels, "expected int64"),
        (elsewhere, "is no name for a file"),
        (untrained, "has not been trained to its end"),
    ],
)
def test_a_spoilt_folder_is_refused_in_one_line(tiny: Any, scorer: Scorer, spoil: Any, says: str) -> None:
    folder = tiny.trained()
    spoil(folder)
    with pytest.raises(UsageError, match=says) as caught:
        scorer.score(folder)
    assert "\n" not in str(caught.value) and not (folder / "result.json").exists()


def test_images_of_another_size_are_a_reason(tiny: Any, scorer: Scorer, result: Read) -> None:
    folder = tiny.trained()
    np.save(folder / "samples" / "last-ema.npy", np.zeros((600, 1, 9, 9), np.uint8))
    scores = by_column(_scored(scorer, folder, result))
    assert scores["fd/tiny-net"]["skipped"] == "tiny-net takes images of 8 pixels, not 9×9"
    assert scores["label-gap"]["value"] is not None


def test_other_weights_than_planned_are_refused(tiny: Any, plugin: str, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"other")
    with pytest.raises(UsageError, match="planned were"):
        Scorer([plugin], weights={"tiny-net": tmp_path / "other"}).score(tiny.trained())
