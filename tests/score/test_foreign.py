"""Samples of another program: every form gives the same, what cannot be told is refused, the row is like a run's."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganbench.api import SampleSpec
from ganbench.errors import UsageError
from ganbench.plan.foreign import Known, plan_foreign, protocol
from ganbench.plan.scoring import Choice
from ganbench.plan.suite import read_suite
from ganbench.rank.records import read_record
from ganbench.score.foreign import Given, read_given, refusal, write_given
from ganbench.score.scorer import Scorer

FORM = SampleSpec((1, 8, 8), (-1.0, 1.0), "image", classes=4)
X = np.random.default_rng(0).integers(0, 256, (30, 1, 8, 8), np.uint8)
X[:, :, 0, :2] = 0, 255
Y = np.arange(30) % 4


def test_every_form_gives_the_same_samples(tmp_path: Path) -> None:
    unit = X / 255
    arrays = {
        "u8": X, "nhwc": X.transpose(0, 2, 3, 1), "nhw": X[:, 0], "rgb": X.repeat(3, 1), "f01": unit.astype(np.float32),
        "f11": 2 * unit - 1, "whole": X.astype(np.int32),
    }  # fmt: skip
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
    np.savez_compressed(tmp_path / "packed.npz", images=X)
    (tmp_path / "png").mkdir()
    for at, image in enumerate(X[:, 0]):
        Image.fromarray(image).save(tmp_path / "png" / f"{at}.png")
    places = [tmp_path / f"{name}.npy" for name in arrays] + [tmp_path / "packed.npz", tmp_path / "png"]
    given = [read_given(place, FORM, 30) for place in places]
    assert len({g.sha256 for g in given}) == 1
    assert given[0].x.dtype == np.uint8 and sorted(map(bytes, given[0].x)) == sorted(map(bytes, X))
    assert (given[0].x != X).any(), "in an order of their own"
    assert all(g.total == 30 and g.y is None for g in given)
    few = read_given(places[0], FORM, 10)
    assert (few.x == given[0].x[:10]).all() and few.total == 30


def test_labels_follow_their_samples(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", X, Y)
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y.astype(np.uint8))
    own = read_given(tmp_path / "own.npz", FORM, 20)
    beside = read_given(tmp_path / "x.npy", FORM, 20, labels=tmp_path / "y.npy")
    label = {bytes(x): y for x, y in zip(X, Y, strict=True)}
    assert own.y is not None and [label[bytes(x)] for x in own.x] == own.y.tolist() and own.y.dtype == np.int64
    assert own.sha256 == beside.sha256 != read_given(tmp_path / "x.npy", FORM, 20).sha256
    for wrong, says in ((Y[:-1], "expected 30 whole numbers"), (Y + 1, "labels from 1 to 4"), (Y / 1, "float64")):
        np.save(tmp_path / "wrong.npy", wrong)
        with pytest.raises(UsageError, match=says):
            read_given(tmp_path / "x.npy", FORM, 20, labels=tmp_path / "wrong.npy")


def test_points(tmp_path: Path) -> None:
    form = SampleSpec((2,), None, "points")
    np.save(tmp_path / "p.npy", np.random.default_rng(0).normal(size=(9, 2)))
    given = read_given(tmp_path / "p.npy", form, 5)
    assert given.x.shape == (5, 2) and given.x.dtype == np.float32
    np.save(tmp_path / "nan.npy", np.full((9, 2), np.nan))
    np.save(tmp_path / "wide.npy", np.zeros((9, 3)))
    (tmp_path / "folder").mkdir()
    for name, says in (("nan.npy", "not finite"), ("wide.npy", r"are \(N, 2\)"), ("folder", "give an array file")):
        with pytest.raises(UsageError, match=says):
            read_given(tmp_path / name, form, 5)


def test_what_is_refused_is_one_line(tmp_path: Path) -> None:
    colour = X.repeat(3, 1)
    colour[0, 0] ^= 1
    np.save(tmp_path / "colour.npy", colour)
    np.save(tmp_path / "wild.npy", X * 1.5)
    for name in ("empty", "corrupt", "mixed"):
        (tmp_path / name).mkdir()
    Image.fromarray(X[0, 0]).save(tmp_path / "corrupt" / "good.png")
    (tmp_path / "corrupt" / "bad.png").write_bytes((tmp_path / "corrupt" / "good.png").read_bytes()[:60])
    for name, size in (("a", 8), ("b", 9)):
        Image.new("L", (size, size)).save(tmp_path / "mixed" / f"{name}.png")
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "x.npy",
            b"\x93NUMPY\x01\x00F\x00"
            + b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999,)}".ljust(69)
            + b"\n",
        )
    cases = {
        "colour.npy": "in colour, and the data set is grey",
        "wild.npy": "say what black and white are",
        "empty": "holds no PNG or JPEG file",
        "corrupt": "bad.png: cannot be read",
        "mixed": ".png: is ",
        "bomb.npz": "unfolds to 93.1 GiB",
        "nowhere": "no such file",
    }  # fmt: skip
    for name, says in cases.items():
        with pytest.raises(UsageError) as refused:
            read_given(tmp_path / name, FORM, 30)
        assert says in str(refused.value) and str(tmp_path / name) in str(refused.value)
        assert "\n" not in str(refused.value)


def test_the_row_is_measured_like_a_runs(
    tiny: Any, plugin: str, tmp_path: Path, result: Callable[[Path], dict[str, Any]]
) -> None:
    """The same samples, given by somebody: the same fingerprints, another comparability. Ten: what is skipped."""
    how = protocol(tiny.registry, read_suite(tmp_path / "tiny.toml"), None, None, Choice(), "cpu")
    extractors = [e.record for e in how.scoring.extractors]
    large = Given(np.zeros((2, 1, 9, 9), np.uint8), None, 2, ())
    assert refusal(large, FORM, extractors) == "tiny-net takes images of 8 pixels, not 9×9"
    scorer, run = Scorer([plugin]), tiny.trained()
    scorer.score(run)
    np.savez(tmp_path / "theirs.npz", *(np.load(run / "samples" / f"last-ema{end}.npy") for end in ("", ".labels")))
    np.save(tmp_path / "ten.npy", X[:10])

    def scored(name: str) -> dict[str, dict[str, Any]]:
        given = read_given(tmp_path / name, how.dataset.spec, how.tier.samples)
        assert refusal(given, how.dataset.spec, extractors) is None
        known = Known(name, None, given.sha256, len(given.x), given.y is not None)
        (spec,) = plan_foreign(how, known, "cpu").runs
        folder = tmp_path / spec.folder
        spec.write(folder)
        write_given(spec, folder, given)
        scorer.score(folder)
        record = read_record(folder)
        assert record is not None and record["kind"] == "foreign" and record["throughput"] is None
        return {s["column"]: s for s in record["scores"]}

    own = {s["column"]: s for s in result(run)["scores"] if s["variant"] == "last-ema"}
    theirs = scored("theirs.npz")
    for column, score in theirs.items():
        assert score["fingerprint"] == own[column]["fingerprint"]
        assert score["comparability"] != own[column]["comparability"]
    for column in ("fd/tiny-net", "label-gap"):
        assert theirs[column]["value"] == pytest.approx(own[column]["value"], rel=1e-9)
    ten = scored("ten.npy")
    assert ten["kid/tiny-net"]["skipped"] == "subsets of 300 from 10 samples"
    assert ten["label-gap"]["skipped"] == "no labels"
    assert ten["precision/tiny-net"]["value"] is not None and ten["precision/tiny-net"]["n"] == 10
