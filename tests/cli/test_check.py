"""`ganbench check` and `pytest --ganbench` say the same of a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pytest

from ganbench import Caution
from ganbench.cli import main

BAD = '''"""A loss that never reaches G."""
import torch.nn.functional as F
from ganbench import Loss, hookimpl

def discriminator(D, real, fake):
    return F.softplus(-D(real)) + F.softplus(D(fake))

def generator(D, fake):
    return F.softplus(-D(fake).detach())

@hookimpl
def ganbench_losses():
    yield Loss("mine", discriminator, generator)
'''


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one broken loss, alone in its folder."""
    file = tmp_path_factory.mktemp("desk") / "my_loss.py"
    file.write_text(BAD)
    return file


def called(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return (ended.value.code, *capsys.readouterr())


def test_a_line_for_each_check(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(["check", str(bad)], capsys)
    lines = out.splitlines()
    assert (code, lines[0]) == (1, "loss mine")
    assert "  ok       output-shape" in lines
    assert any(line.startswith("  warning  paper: no paper is named; to mend: ") for line in lines)
    failed = [line for line in lines if line.startswith("  FAILED")]
    assert len(failed) == 1
    assert failed[0].startswith("  FAILED   attached: ")
    assert ".detach()" in failed[0]
    assert lines[-1].startswith(f"{len(lines) - 2} checks: ")


def test_what_a_metric_warns_of_on_made_up_samples_is_no_matter(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Caution)
        code, out, _ = called(["check", "metric/classification-accuracy"], capsys)
    assert code == 0 and out.endswith("5 checks: 5 ok\n")


def test_for_programs(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(["check", "loss/mine", "-p", str(bad), "--format", "json"], capsys)
    outcomes = {o["check"]: o for o in json.loads(out)}
    assert code == 1
    assert set(outcomes["attached"]) == {"kind", "name", "check", "status", "what", "mend"}
    assert outcomes["attached"]["status"] == "FAILED"


@pytest.mark.parametrize(
    ("words", "reason"),
    [([], "Missing argument"), (["nobody"], "nothing is called 'nobody'"), (["nobody.py"], "no such file")],
)
def test_wrong_words(words: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, told = called(["check", *words], capsys)
    assert (code, out) == (2, "")
    assert reason in told


def test_a_file_that_registers_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.py").write_text("x = 1\n")
    code, _, told = called(["check", str(tmp_path / "empty.py")], capsys)
    assert code == 2
    assert "registers nothing" in told


def pytest_of(file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """`pytest --ganbench FILE` in the file's folder, with the plugin as an installation has it."""
    options = ["-p", "ganbench.conformance.pytest_plugin", "-p", "no:cacheprovider", "--ganbench", file.name, "-rA"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *more],
        cwd=file.parent,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": ":".join(p for p in sys.path if p)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_pytest_makes_an_item_of_each_check(bad: Path) -> None:
    done = pytest_of(bad)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED loss/mine::attached" in done.stdout
    assert "PASSED loss/mine::output-shape" in done.stdout
    assert "to mend: leave out .detach()" in done.stdout
    assert "1 failed" in done.stdout and "Traceback" not in done.stdout


def test_pytest_passes_in_a_folder_with_a_new_file_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert called(["new", "loss", "mine"], capsys)[0] == 0
    done = pytest_of(tmp_path / "mine.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED loss/mine::comes-closer" in done.stdout and "failed" not in done.stdout


def test_pytest_finds_the_plugin_by_itself_once_installed() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["pytest11"] == {"ganbench": "ganbench.conformance.pytest_plugin"}
