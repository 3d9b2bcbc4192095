"""`ganbench tune` from the words to a suite that runs: the trials, what they are measured on, what is written."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganbench.cli import main
from ganbench.plan.suite import read_suite

TOY = Path(__file__).parents[1] / "execute" / "toy.py"
SPACE = """
trials = 4
[space]
lr = { low = 1e-3, high = 1.0, log = true }
"toy-square.weight" = [0.5, 2.0]
"""


def told(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    """What a command says, on stdout where all went well."""
    with pytest.raises(SystemExit) as ended:
        main([*words, "-p", str(TOY), "--device", "cpu"] if words[0] in ("run", "tune") else words)
    out, err = capsys.readouterr()
    assert ended.value.code == code, out + err
    return out if code == 0 else err


def read(file: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(file.read_text())
    return value


def trials(out: Path) -> dict[str, dict[str, Any]]:
    """Label -> record."""
    records = [read(file) for file in sorted(out.glob("toy-tiny-tuning/*/result.json"))]
    return {record["entry"]["label"]: record for record in records}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "space.toml").write_text(SPACE)
    return tmp_path


def test_a_search_and_what_comes_of_it(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["tune", "--suite", "toy", "--space", "space.toml", "--to", "tuned.toml"]
    assert "10 runs to do, 2 skipped" in told([*words, "--dry-run"], capsys) and not (desk / "runs").exists()
    assert "10 runs to do, 2 skipped on Slurm (cpu)" in told([*words, "--on", "slurm", "--dry-run"], capsys)
    found = json.loads(told([*words, "--format", "json"], capsys))
    critic, square, *images = found["entries"]
    assert [e["label"] for e in (critic, square)] == ["toy-linear · toy-critic", "toy-linear · toy-square"]
    assert [(e["skip"], len(e["trials"])) for e in images] == [("takes image, not points", 1)] * 2
    assert [list(trial["settings"]) for trial in critic["trials"]] == [[], *[["lr"]] * 3]
    assert [list(trial["settings"]) for trial in square["trials"]] == [[], *[["lr", "toy-square.weight"]] * 3]
    assert [t["settings"].get("lr") for t in critic["trials"]] == [t["settings"].get("lr") for t in square["trials"]]

    records = trials(desk / "runs")
    assert len(records) == 10 and {r["seed"] for r in records.values()} == {1000}
    for record in (r for r in records.values() if r["status"] == "completed"):
        assert {s["split"] for s in record["scores"]} == {"val"} == {record["suite"]["split"]}
        assert {s["measurement"]["reference"]["split"] for s in record["scores"]} == {"val"}
        assert record["looks"] == []
    for entry in (critic, square):
        values = [trial["value"] for trial in entry["trials"]]
        assert entry["taken"] == values.index(min(values))
        assert values[0] == records[entry["label"]]["scores"][0]["value"], "the first trial is the entry's own recipe"

    (tier,) = read_suite(desk / "tuned.toml").tiers.values()
    for group, entry in zip(tier.entries, found["entries"], strict=True):
        drawn = entry["trials"][entry["taken"]]["settings"]
        assert group.recipe == drawn, "the toy's own entries say nothing of their recipes"
    written = tomllib.loads((desk / "tuned.toml").read_text())["tiers"]["tiny"]["tuning"]
    assert [e["taken"] for e in written["entries"]] == [critic["taken"], square["taken"], 0, 0]
    assert (written["trials"], written["split"], written["space"]["lr"]["log"]) == (4, "val", True)

    table = told(["run", "--suite", "tuned.toml"], capsys)
    assert "4 trials of each entry, its own recipe being one of them, with 1 seed of its own" in " ".join(table.split())
    assert "lr 0.001 to 1.0 (log), toy-square.weight 0.5 or 2.0" in " ".join(table.split())
    tuned = [read(file) for file in (desk / "runs" / "tuned-tiny").glob("toy-linear*/result.json")]
    assert {s["split"] for r in tuned for s in r["scores"]} == {"test"}
    assert not {r["seed"] for r in tuned} & {1000}
    assert "nothing wrong" in told(["verify", "runs"], capsys)

    told(["publish", "runs", "--to", "out"], capsys)
    page = (desk / "out" / "toy-tiny-tuning" / "LEADERBOARD.md").read_text()
    assert "ganbench tune --suite toy --plugin toy.py --space space.toml --to tuned.toml" in page
    assert "Measured against val, to choose by: no result." in page


def test_trials_that_are_lost_choose_nothing_and_the_same_command_goes_on(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "space.toml").write_text("trials = 2\n[space]\ndies = [true, true]\n")
    words = ["tune", "--suite", "toy", "--space", "space.toml", "--to", "tuned.toml", "--loss", "toy-critic"]
    said = told(words, capsys, code=1)
    assert "nothing is chosen yet: 1 run of 3 missing" in said and "1 killed" in said
    assert not (desk / "tuned.toml").exists()
    (desk / "space.toml").write_text("trials = 2\n[space]\nlr = [0.1, 0.1]\n")
    said = told([*words, "--jobs", "1"], capsys)
    assert "toy-linear · toy-critic" in said and (desk / "tuned.toml").exists()
    assert len(trials(desk / "runs")) == 3, "the entry's own recipe was not trained twice"


def test_a_tuned_suite_finds_its_own_data_from_another_folder(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(desk / "points.npy", np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32))
    text = TOY.with_suffix(".toml").read_text().replace('"toy-points"', '{ npz = "../points.npy" }')
    (desk / "suites").mkdir()
    (desk / "suites" / "mine.toml").write_text(text.replace("samples = 100", "samples = 40"))
    (desk / "space.toml").write_text("trials = 2\n[space]\nlr = [0.1, 0.2]\n")
    words = ["--suite", "suites/mine.toml", "--space", "space.toml", "--to", "else/where/tuned.toml"]
    told(["tune", *words, "--loss", "toy-critic", "--architecture", "toy-linear"], capsys)
    text = (desk / "else" / "where" / "tuned.toml").read_text()
    assert tomllib.loads(text)["dataset"] == {"npz": "../../points.npy"} and str(desk) not in text
    told(["run", "--suite", "else/where/tuned.toml"], capsys)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--to", "tuned"], "--to tuned: the name of a suite file ends with .toml"),
        (["--to", "there.toml"], "--to there.toml: is there already; name another file, or remove it"),
        (["--space", "nowhere.toml"], "search space nowhere.toml: cannot be read (No such file or directory)"),
        (["--suite", "toyy"], "no suite 'toyy'; did you mean toy?"),
        (["--mode", "reference", "--mode", "fast"], "a search is in one mode, and there are reference, fast"),
        (["--space", "seeds.toml"], "seed 0 is one of tier 'tiny', which trains what is found with fresh ones"),
        (["--space", "keys.toml"], "--set: nobody here has a recipe key 'lrr'; did you mean lr"),
        (["--space", "types.toml"], "recipe key 'lr' must be above 0, not -1.0"),
        (["--architecture", "toy-image"], "every entry that is asked for is skipped"),
    ],
)
def test_wrong_words(words: list[str], reason: str, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "there.toml").write_text("")
    (desk / "seeds.toml").write_text("trials = 2\nseeds = [0]\n[space]\nlr = [0.1, 0.2]\n")
    (desk / "keys.toml").write_text("trials = 2\n[space]\nlrr = [0.1, 0.2]\n")
    (desk / "types.toml").write_text("trials = 2\n[space]\nlr = [-1, -1]\n")
    given = {"--suite": "toy", "--space": "space.toml", "--to": "tuned.toml"}
    for option in given.keys() & set(words):
        del given[option]
    said = told(["tune", *(word for pair in given.items() for word in pair), *words], capsys, code=2)
    assert reason in said and len(said.strip().splitlines()) == 1
    assert not (desk / "runs").exists() and not (desk / "tuned.toml").exists()
