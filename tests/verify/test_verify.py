"""`verify` on copies of the published results, each spoilt in one way: every one is found, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ganbench.cli import main
from ganbench.errors import UsageError
from ganbench.plan.spec import RunSpec, identified
from ganbench.publish import publish
from ganbench.verify import verify

REAL = Path(__file__).resolve().parents[2] / "results" / "mnist-quick"
RUN, OTHER, SCALE = "dcgan-hinge-s0-*", "dcgan-hinge-s1-*", "noise-s0-*"
Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy with some rows; its tables are made of these alone."""
    for pattern in ("dcgan-hinge-s?-*", "mlp-lsgan-s0-*", "cdcgan-*-s0-*", SCALE, "constant-*"):
        for folder in REAL.glob(pattern):
            shutil.copytree(folder, tmp_path / "made" / folder.name)
    publish([tmp_path / "made"], tmp_path)
    return tmp_path / "mnist-quick"


def one(home: Path, pattern: str) -> Path:
    (folder,) = home.glob(pattern)
    return folder


def edit(file: Path, change: Edit) -> None:
    value = json.loads(file.read_text())
    change(value)
    file.write_text(json.dumps(value))


def problems(home: Path) -> list[str]:
    return [f"{finding.where.relative_to(home.parent)}: {finding.what}" for finding in verify(home).problems]


def headline(record: dict[str, Any]) -> dict[str, Any]:
    score: dict[str, Any] = record["scores"][0]
    return score


def test_the_published_results_hold_together() -> None:
    report = verify(REAL.parent)
    assert [f"{f.where}: {f.what}" for f in report.findings] == []
    assert len(report.runs) >= 23 and report.scores >= 205


def test_an_edited_score(home: Path) -> None:
    assert problems(home) == []
    true = headline(json.loads((one(home, RUN) / "result.json").read_text()))["value"]
    edit(one(home, RUN) / "result.json", lambda record: headline(record).update(value=20.5))
    first, *rest = problems(home)
    where, _, what = first.partition(": ")
    assert where == "mnist-quick/leaderboard.csv"
    assert what == f"dcgan · hinge, seed 0, fd/mnist-cnn: {true} in the table, 20.5 in the record"
    assert len(rest) == 1 and rest[0].startswith("mnist-quick/LEADERBOARD.md: line ")


def test_a_record_and_its_tables_edited_alike_cannot_be_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And this is said."""
    edit(one(home, RUN) / "result.json", lambda record: headline(record).update(value=20.5))
    publish([home], home.parent)
    assert problems(home) == []
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(home)])
    assert ended.value.code == 0 and "not that records are honest: `ganbench reproduce RUN`" in capsys.readouterr().out


def test_edited_tables(home: Path) -> None:
    csv = home / "leaderboard.csv"
    lines = csv.read_text().splitlines(keepends=True)
    csv.write_text("".join(lines[:1] + lines[2:]))
    assert problems(home) == [
        "mnist-quick/leaderboard.csv: dcgan · hinge, seed 0, fd/mnist-cnn: has a record and no line"
    ]
    csv.write_text("".join(lines).replace(",readable,", ",learnt,"))
    assert all("level is learnt, from the records readable" in found for found in problems(home)[:5])
    assert problems(home)[5].endswith("further lines")
    csv.write_text("".join(lines).replace(",dcgan,hinge,", ",dcgan,wasserstein,", 1))
    (found,) = problems(home)
    assert found.endswith("seed 0, fd/mnist-cnn: loss is wasserstein, from the records hinge")
    csv.write_text("".join(lines))
    page = home / "LEADERBOARD.md"
    page.write_text(page.read_text().replace("dcgan · hinge", "dcgan \x1b[31m · hinge", 1))
    (found,) = problems(home)
    assert found.startswith("mnist-quick/LEADERBOARD.md: line ") and "\x1b" not in found


@pytest.fixture
def lossy(home: Path, tmp_path: Path) -> Path:
    """The same with attempts that were lost: one seed of an entry, and an entry of which nothing else is there."""
    true = json.loads((one(home, OTHER) / "result.json").read_text())
    lost = {key: true[key] for key in ("schema_version", "kind", "suite", "seed", "entry", "environment", "data")}
    lost |= {"status": "oom", "reason": "out of memory: 7; it is", "finished": "2031-01-01T00:00:00Z"}
    lost["environment"] = {**lost["environment"], "cpu": {"model": "Another CPU"}}
    lost["asked"] = {"suite": "mnist", "architecture": "dcgan", "loss": ["a b"]}
    other = {"label": "=dcgan · lost [x=1]; '-2", "key": "c0ffee" * 10, "mode": "fast", "conditional": False}
    other |= {"architecture": "dcgan", "loss": "=lost", "regularizers": ["-r1", "clip"], "augmentations": []}
    for name, changes in {"a": {"seed": 5}, "b": {"seed": 0, "entry": other}, "c": {"seed": 1, "entry": other}}.items():
        (tmp_path / "made" / name).mkdir()
        (tmp_path / "made" / name / "error.json").write_text(json.dumps({**lost, "run_id": name * 16, **changes}))
    publish([tmp_path / "made"], tmp_path)
    return home


@pytest.mark.parametrize("page", ["index.html", "leaderboard.tex"])
def test_an_edited_page(home: Path, page: str) -> None:
    file = home / page
    file.write_text(file.read_text("utf-8").replace("readable", "learnt", 1), "utf-8")
    (found,) = problems(home)
    assert found.startswith(f"mnist-quick/{page}: line ") and "learnt" in found
    file.unlink()
    assert problems(home) == []


def test_lost_runs_are_a_note_and_the_rest_is_compared_all_the_same(lossy: Path) -> None:
    (note,) = verify(lossy).findings
    assert not note.problem and note.what == "tells of 3 lost runs, which nothing shows"
    page = lossy / "LEADERBOARD.md"
    honest = page.read_text()
    for old, new in (
        ("| dcgan · hinge |", "| dcgan · hinge! |"),
        ("2 (1 missing)", "2"),
        ("Missing: 3 runs", "Missing: 2 runs"),
        ("ganbench publish runs --to results", "ganbench publish runs --to results; reboot"),
        ("ganbench run --suite mnist", "ganbench run $(reboot) --suite mnist"),
    ):
        assert old in honest
        page.write_text(honest.replace(old, new, 1))
        (found,) = problems(lossy)
        number = int(found.partition("LEADERBOARD.md: line ")[2].split()[0])
        assert new.split("ganbench ")[-1] in page.read_text().splitlines()[number - 1]
    page.write_text(honest)
    table = lossy / "leaderboard.csv"
    lines = table.read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if ",missing," in line)
    table.write_text("".join([*lines[:at], lines[at].replace(",missing,", ",missing,0.0001"), *lines[at + 1 :]]))
    assert "0.0001 in the table, none in the record" in problems(lossy)[0]


def test_scale_rows_alone_with_lost_runs_hold_together(lossy: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    for result in made.glob("*/result.json"):
        if json.loads(result.read_text())["kind"] != "scale":
            shutil.rmtree(result.parent)
    publish([made], tmp_path / "alone")
    table = (tmp_path / "alone" / "mnist-quick" / "leaderboard.csv").read_text()
    assert ",scale," in table and ",missing," in table
    (note,) = verify(tmp_path / "alone").findings
    assert not note.problem and note.what == "tells of 3 lost runs, which nothing shows"


def test_lines_that_are_there_twice_or_made_up(home: Path) -> None:
    csv = home / "leaderboard.csv"
    honest = csv.read_text()
    head, first, *rest = honest.splitlines(keepends=True)
    place = {name: at for at, name in enumerate(head.strip().split(","))}

    def changed(**cells: str) -> str:
        words = first.split(",")
        for name, cell in cells.items():
            words[place[name]] = cell
        return ",".join(words)

    who = "mnist-quick/leaderboard.csv: dcgan · hinge"
    csv.write_text("".join([head, changed(value="0.001"), first, *rest]))
    found = problems(home)
    assert len(found) == 2 and found[0].startswith(f"{who}, seed 0, fd/mnist-cnn: 0.001 in the table, ")
    assert found[1] == f"{who}, seed 0, fd/mnist-cnn: a line once more"
    csv.write_text("".join([head, first, first, *rest]))
    assert problems(home) == [f"{who}, seed 0, fd/mnist-cnn: a line once more"]
    csv.write_text("".join([head, changed(seed="9", status="missing"), first, *rest]))
    page = home / "LEADERBOARD.md"
    page.write_text(page.read_text().replace("Headline: fd", "Headline: FID", 1))
    found = problems(home)
    assert any("seed 9, fd/mnist-cnn: " in line and "none in the record" in line for line in found)
    assert any("LEADERBOARD.md: line " in line for line in found)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda text: text.replace(",sampling_error,", ",", 1), "lacks the column `sampling_error`"),
        (lambda text: text.replace("suite,tier,", "tier,suite,", 1), "has its columns in another order"),
        (lambda text: text.replace("reason\n", "reason,proof\n", 1), "follows no record with the column `proof`"),
        (lambda text: text.replace("reason\n", "reason,reason\n", 1), "in another order, or twice"),
        (lambda text: text + "one,two\n", "cells, the header has"),
        (lambda text: "", "is no table (it is empty)"),
    ],
)
def test_a_table_of_another_form(home: Path, spoil: Callable[[str], str], says: str) -> None:
    table = home / "leaderboard.csv"
    table.write_text(spoil(table.read_text()))
    assert any(says in found for found in problems(home))


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("leaderboard.csv", "leaderboard.csv: is missing"),
        ("LEADERBOARD.md", "LEADERBOARD.md: is missing"),
        (f"{RUN}/spec.json", "spec.json: is missing"),
        (f"{RUN}/result.json", "result.json: is missing"),
        (f"{RUN}/samples.png", "LEADERBOARD.md: line "),
        (RUN, "dcgan · hinge, seed 0, fd/mnist-cnn: no record gives this line"),
        (f"{RUN}/*.json", "holds neither spec.json nor result.json"),
    ],
)
def test_a_missing_file(home: Path, missing: str, says: str) -> None:
    for path in list(home.glob(missing)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert any(says in found for found in problems(home))


def test_a_fingerprint_that_does_not_follow(home: Path) -> None:
    edit(one(home, RUN) / "result.json", lambda record: headline(record).update(fingerprint="c0ffee000000"))
    assert any(
        'fd/mnist-cnn of last-ema: fingerprint "c0ffee000000" does not follow from its measurement (daa5c0b828ca)'
        in found
        for found in problems(home)
    )


def test_a_fingerprint_of_another_measurement(home: Path) -> None:
    """Consistent in itself: another reference set, and other parameters than planned."""
    folder = one(home, RUN)
    spec = RunSpec.read(folder)

    def measured(change: Edit, at: int) -> Edit:
        def apply(record: dict[str, Any]) -> None:
            change(record["scores"][at]["measurement"])
            record["scores"][at].update(identified(record["scores"][at]["measurement"], spec))

        return apply

    edit(folder / "result.json", measured(lambda m: m["reference"].update(sha256="0" * 64), 0))
    assert any("the column has daa5c0b828ca: measured otherwise" in found for found in problems(home))
    edit(folder / "result.json", measured(lambda m: m["params"].update(subsets=3), 2))
    assert any("was not measured as planned: subsets = 3, planned was 10" in found for found in problems(home))


def test_a_seed_twice(home: Path) -> None:
    folder = one(home, RUN)
    shutil.copytree(folder, home / "once-more")
    assert f"mnist-quick/once-more: dcgan · hinge, seed 0: the same run as {folder.name}" in problems(home)
    shutil.rmtree(home / "once-more")

    def relabelled(value: dict[str, Any]) -> None:
        value["seed"] = 1

    edit(folder / "spec.json", relabelled)
    assert any("spec.json: was edited (its content does not give its run_id)" in found for found in problems(home))
    edit(folder / "result.json", relabelled)
    assert any("dcgan · hinge, seed 1: a second run of this seed beside" in found for found in problems(home))


def respecified(home: Path, name: str, change: Edit) -> Path:
    """A copy of a run under another specification that holds to its own id; its record says that id."""
    copy = home / name
    shutil.copytree(one(home, RUN), copy)
    value = json.loads((copy / "spec.json").read_text())
    change(value)
    known = {key: field for key, field in value.items() if key not in ("run_id", "schema_version")}
    spec = RunSpec(**{k: tuple(v) if k in ("components", "plugins") else v for k, v in known.items()})
    spec.write(copy)
    edit(copy / "result.json", lambda record: record.update(run_id=spec.run_id, seed=spec.seed))
    return copy


def test_a_second_run_of_a_seed_is_no_run_of_edited_code_for_what_it_was_measured_with(home: Path) -> None:
    second = respecified(home, "second", lambda value: value.update(threads=value["threads"] + 1))
    edit(second / "result.json", lambda record: record["plugins"].append({"module": "further", "sha256": "0" * 64}))
    assert any(": a second run of this seed beside " in found for found in problems(home))
    shutil.rmtree(second)
    edited = respecified(home, "edited", lambda value: value["plugins"][0].update(sha256="0" * 64))
    told = [f for f in verify(home).findings if ": made with other code than " in f.what]
    assert [f.problem for f in told] == [False] and edited.name in (told[0].where.name, told[0].what.split()[-1])


def test_a_seed_passed_off_as_another(home: Path) -> None:
    """Seed 0 relabelled as seed 7 throughout, ids, fingerprints, tables and all."""
    copy = respecified(home, "dcgan-hinge-s7", lambda value: value.update(seed=7))
    publish([home], home.parent)
    (found,) = problems(home)
    assert found.startswith("mnist-quick/dcgan-hinge-s7") or found.startswith("mnist-quick/dcgan-hinge-s0-")
    assert "has the very weights of" in found
    edit(copy / "result.json", lambda record: record.update(weights={}, scores=record["scores"][::-1]))
    publish([home], home.parent)
    scores, weights = problems(home)
    assert "has the very scores of" in scores
    assert weights == "mnist-quick/dcgan-hinge-s7/result.json: does not say which weights the training left"


def test_a_record_that_is_not_its_specifications(home: Path) -> None:
    cases: list[tuple[Edit, str]] = [
        (
            lambda record: record["entry"]["recipe"]["lr"].update(value=0.5),
            "entry.recipe.lr.value is 0.5, planned was 0.001",
        ),
        (
            lambda record: record["suite"].update(budget={"real_images": 1}),
            "suite.budget.real_images is 1, planned was 40000",
        ),
        (lambda record: record["plugins"].pop(0), "plugin ganbench_zoo.architectures.dcgan is not among its plugins"),
        (lambda record: record["scores"].pop(0), "has no score fd/mnist-cnn of last-ema"),
        (lambda record: headline(record).update(value=None), "neither a value nor a reason"),
        (lambda record: headline(record).update(measurement="trust me"), "does not say how it was measured"),
        (lambda record: headline(record).update(measurement={}), "its measurement is not one"),
        *[
            (
                lambda record, key=key, value=value: headline(record)["measurement"].update({key: value}),
                f"fd/mnist-cnn of last-ema: its measurement is not one: `{key}` is ",
            )
            for key, value in (
                *(("metric", [1]), ("params", [1]), ("reference", "x"), ("extractor", "x"), ("samples", "many")),
                *(("samples", True), ("metric", None)),
            )
        ],
        (
            lambda record: headline(record)["measurement"]["extractor"].update(layers=[1]),
            "its measurement is not one: `extractor.layers` is [1]",
        ),
        (lambda record: headline(record).update(value="good"), "`scores[0].value` is str, not"),
        (lambda record: record.update(schema_version=99), "schema_version 99 is newer than"),
    ]
    file = one(home, RUN) / "result.json"
    honest = file.read_text()
    for change, says in cases:
        edit(file, change)
        assert any(says in found for found in problems(home)), says
        file.write_text(honest)
    assert problems(home) == []


def test_a_table_that_is_none(home: Path) -> None:
    with (home / "leaderboard.csv").open("a") as table:
        table.write("x" * 200_000 + "\n")
    (found,) = problems(home)
    assert found.startswith("mnist-quick/leaderboard.csv: is no table (field larger than field limit")


def test_a_crafted_record_costs_itself_alone(home: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Of text that no stream takes, in a folder whose name is none, either."""
    folder = one(home, RUN).rename(home / "caf\udce9\x9b31m")
    edit(folder / "result.json", lambda record: record["entry"].update({"label": "\ud800evil"}))
    for words in ([], ["--format", "json"]):
        with pytest.raises(SystemExit) as ended:
            main(["verify", str(home), *words])
        out = capfdbinary.readouterr().out.decode()
        assert ended.value.code == 1 and "`entry.label` is half a surrogate pair" in out
        assert all(c.isprintable() or c == "\n" for c in out)
    answer = json.loads(out)
    assert answer["runs"] == 6 and any(f["where"] == str(folder / "result.json") for f in answer["findings"])


def test_notes_are_no_problems(home: Path, tmp_path: Path) -> None:
    """A reproduction on another machine, a run of edited code, working space without tables."""
    folder = one(home, RUN)
    shutil.copytree(folder, home / "elsewhere")
    edit(home / "elsewhere" / "result.json", lambda record: record["environment"].update(machine="another"))
    publish([home], home.parent)
    report = verify(home)
    assert not report.problems and ["a reproduction on another machine of" in f.what for f in report.findings] == [True]
    (working,) = verify(tmp_path / "made").findings
    assert not working.problem and "has no tables to compare" in working.what
    (alone,) = verify(folder).findings
    assert alone.what.startswith("is one run: neither tables nor other seeds") and not alone.problem
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no runs under"):
        verify(tmp_path / "empty")


def test_the_verb(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def answers(*words: str) -> Iterator[Any]:
        with pytest.raises(SystemExit) as ended:
            main(["verify", *words])
        yield ended.value.code
        yield capsys.readouterr().out

    code, said = answers(str(home))
    assert code == 0 and said.startswith("6 runs, ") and "nothing wrong" in said
    edit(one(home, RUN) / "result.json", lambda record: headline(record).update(value=20.5))
    code, said = answers(str(home))
    assert code == 1 and said.startswith("wrong: ") and "2 problems" in said
    code, said = answers(str(home), "--format", "json")
    answer = json.loads(said)
    assert code == 1 and [f["problem"] for f in answer["findings"]] == [True, True] and "honest" in answer["limits"]
    assert next(answers("nowhere")) == 2
