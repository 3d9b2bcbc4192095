"""A user's mistake is one line on stderr and exit code 2; no traceback, nothing written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.cli import main
from ganbench.execute.child import environment

TOY = str(Path(__file__).parents[1] / "execute" / "toy.py")
RUN = ["run", "-p", TOY, "--suite", "toy", "--device", "cpu"]


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, told = capsys.readouterr()
    assert (ended.value.code, out) == (2, ""), told
    lines = [line for line in told.splitlines() if "warning: plugin" not in line]
    assert len(lines) == 1, told
    assert lines[0].startswith("ganbench: ")
    return lines[0]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "Missing option '--suite'"),
        (["--suite", "toyy"], "no suite 'toyy'; did you mean toy?"),
        (["--suite", "nowhere.toml"], "--suite nowhere.toml: no such file"),
        (["--loss", "toy-critik"], "no loss 'toy-critik'; did you mean toy-critic"),
        (["--mode", "fats"], "--mode: there is no mode 'fats'; did you mean fast?"),
        (["--seeds", "4..2"], "did you mean 2..4?"),
        (["--seeds", "many"], "expected 5 (seed 5), 0..4"),
        (["--set", "lr"], "expected KEY=VALUE"),
        (["--set", "delai=1"], "did you mean delay?"),
        (["--tier", "tinny"], "tiny"),
        (["--dataset", "toy-point"], "did you mean toy-points?"),
        (["--metric", "toy-gab"], "did you mean toy-gap?"),
        (["--extractor", "toy-identity@deep"], "no layer 'deep'"),
        (["--device", "cuda:9"], "--device cuda:9"),
        (["--device", "mps"], "use --device cpu"),
        (["--jobs", "0"], "--jobs 0"),
        (["--resume", "sometimes"], "'missing', 'failed', 'forced', 'all', 'never'"),
        (["--format", "xml"], "'text', 'json'"),
        (["--lost", "hinge"], "No such option: --lost"),
        (["-p", "nowhere.py"], "-p nowhere.py: no such file"),
        (["--plugins-dir", "nowhere"], "--plugins-dir nowhere: no such folder"),
    ],
)
def test_wrong_words(words: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [*RUN, "--out", str(tmp_path / "runs"), *words]
    assert reason in refused(asked if words else ["run"], capsys)
    assert not list(tmp_path.iterdir())


def test_a_suite_file_with_a_wrong_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = tmp_path / "mine.toml"
    suite.write_text(Path(TOY).with_suffix(".toml").read_text().replace("seeds =", "seed ="))
    line = refused(["run", "-p", TOY, "--suite", str(suite), "--device", "cpu"], capsys)
    assert str(suite) in line
    assert "seed" in line


def test_an_out_that_cannot_be_written_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    line = refused([*RUN, "--out", str(tmp_path / "file" / "runs")], capsys)
    assert str(tmp_path / "file" / "runs") in line
    assert "--out" in line


def test_a_broken_plugin_that_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("x = 1\nraise RuntimeError('two\\nlines \\x1b[31m')\n")
    line = refused(["list", "-p", str(broken)], capsys)
    assert "broken.py, line 2: RuntimeError: two lines" in line
    assert "\x1b" not in line


def test_a_plugin_file_without_a_hook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.py").write_text("def ganbench_nothing():\n    yield 1\n")
    line = refused([*RUN, "-p", str(tmp_path / "empty.py"), "--dry-run"], capsys)
    assert "empty.py: registers nothing: it needs a function marked @hookimpl" in line


DATA = """
import numpy as np
from ganbench import Dataset, SampleSpec, hookimpl

def load(split):
    {}

@hookimpl
def ganbench_datasets():
    yield Dataset("mine", SampleSpec((2,), None, "points"), load)
"""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('no such\\ncolumn')", "ValueError: no such column (mine.py, line 6)"),
        ("return np.zeros((1500, 2), np.float32)", "; it gave 'ndarray'"),
        ("return np.zeros((2, 2), np.float32)", "; it gave 'ndarray'"),
        ("return [0.5, 1.0], None", "AttributeError: 'list' object"),
    ],
)
def test_a_data_set_that_gives_no_data(
    body: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(DATA.format(body))
    line = refused([*RUN, "-p", str(file), "--dataset", "mine", "--dry-run"], capsys)
    assert "data set 'mine': load(\"train\") must give (samples, labels)" in line
    assert reason in line


RAISES = """
from ganbench import Architecture, Loss, hookimpl

def bad(*asked):
    raise LookupError("nobody\\nhome")

def leave(*asked):
    raise SystemExit(0)

@hookimpl
def ganbench_losses():
    yield Loss("bad-fits", lambda D, fake: D(fake), lambda D, fake: -D(fake), fits=bad)
    yield Loss("leaves", lambda D, fake: D(fake), lambda D, fake: -D(fake), fits=leave)

@hookimpl
def ganbench_architectures():
    yield Architecture("bad-offers", bad, bad, offers=bad)
"""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--loss", "bad-fits"], "loss bad-fits, fits: LookupError: nobody home (raises.py, line 5)"),
        (["--loss", "leaves"], "loss leaves, fits: SystemExit: 0 (raises.py, line 8)"),
        (["--architecture", "bad-offers"], "architecture bad-offers: LookupError: nobody home (raises.py, line 5)"),
    ],
)
def test_a_plugin_that_raises_while_it_is_planned(
    words: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "raises.py").write_text(RAISES)
    line = refused([*RUN, "-p", str(tmp_path / "raises.py"), *words, "--dry-run"], capsys)
    assert line == f"ganbench: {reason}"


def test_a_place_where_nothing_can_be_published(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = Path(__file__).parents[2] / "results" / "ring-quick"
    (tmp_path / "file").touch()
    line = refused(["publish", str(results), "--to", str(tmp_path / "file")], capsys)
    assert str(tmp_path / "file") in line
    assert line.endswith("cannot be used (Not a directory); name another folder with --to")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["rnu"], "Did you mean 'run'?"),
        (["list", "los"], "no kind 'los'; did you mean loss?"),
        (["info", "toy-critik", "-p", TOY], "did you mean toy-critic"),
        (["leaderboard", "nowhere"], "nowhere"),
        (["publish", "nowhere"], "Missing option '--to'"),
        (["publish", "nowhere", "--to", "results"], "nowhere"),
    ],
)
def test_other_verbs(words: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert reason in refused(words, capsys)


@pytest.mark.parametrize(
    "words",
    [
        ["info"],
        ["check"],
        ["leaderboard"],
        ["verify"],
        ["reproduce"],
        ["new", "loss"],
        ["evaluate", "--run"],
        ["list", "-p"],
        ["list", "--plugins-dir"],
        ["run", "--suite"],
        [*RUN, "--seeds", "0", "--out"],
    ],
)
def test_a_name_that_no_file_can_have(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "File name too long" in refused([*words, "n" * 300], capsys)


@pytest.mark.parametrize("words", [["--seeds", str(2**53)], ["--set", f"toy-critic.every={2**53}"]])
def test_a_number_that_no_id_can_have(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    line = refused([*RUN, "--dry-run", *words], capsys)
    assert line == f"ganbench: {2**53} is too large: whole numbers of a run stay below 2^53 = 9,007,199,254,740,992"


@pytest.mark.parametrize("variable", ["GANBENCH_CACHE", "GANBENCH_DATA"])
def test_a_home_that_nobody_has(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, "~nobody-at-all/x")
    line = refused(["run", "--suite", "mnist", "--dry-run"], capsys)
    assert line == f"ganbench: {variable}=~nobody-at-all/x: has no home folder to begin at; give the whole path"


def test_output_that_finds_no_room() -> None:
    command = [sys.executable, "-m", "ganbench"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*command, "list", "loss"], stdout=full, stderr=-1, text=True, env=environment(1), check=False
        )
        assert (done.returncode, done.stderr) == (2, "ganbench: No space left on device\n")
        done = subprocess.run([*command, "lost"], stdout=-1, stderr=full, text=True, env=environment(1), check=False)
        assert (done.returncode, done.stdout) == (2, "")


def test_as_a_process() -> None:
    command = [sys.executable, "-m", "ganbench", "leaderboard", "nowhere", "--format", "pdf"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(1), check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("ganbench: Invalid value for '--format'")
