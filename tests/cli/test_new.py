"""What `ganbench new` writes works as it stands, and it overwrites nothing."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from ganbench import conformance, plugins
from ganbench.cli import main
from ganbench.cli.new import Kind


def called(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return (ended.value.code, *capsys.readouterr())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", list(Kind))
def test_a_new_file_keeps_its_contract(kind: Kind, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(["new", kind, "my-own"], capsys)
    assert (code, out.splitlines()[:2]) == (0, ["my_own.py", "next: ganbench check my_own.py"])
    registry = plugins.load(["my_own.py"])
    found = conformance.registered_by(registry, desk / "my_own.py")
    assert [(e.kind, e.name) for e in found] == [(kind, "my-own")]
    outcomes = [case.run() for case in conformance.cases(found, registry)]
    assert not [str(o) for o in outcomes if o.status not in ("ok", "warning")]
    assert [o.check for o in outcomes if o.status == "warning"] in ([], ["paper"])
    assert "TODO" not in (desk / "my_own.py").read_text()


@pytest.mark.parametrize("package", [False, True])
def test_a_new_regularizer_comes_with_a_command_that_runs_it(
    package: bool, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = called(["new", "regularizer", "my-own", *["--package"] * package], capsys)
    command = out.splitlines()[-1].removeprefix("then: ganbench ")
    assert command.endswith(" -p my_own.py") is not package
    here = ["-p", "my-own/my_own/__init__.py"] if package else []  # which is not installed
    code, out, _ = called([*command.split(), *here, "--dry-run"], capsys)
    assert code == 0
    assert "mlp · hinge + my-own" in out


def test_nothing_is_overwritten(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (desk / "mine.py").write_text("x = 1\n")
    code, out, told = called(["new", "loss", "mine"], capsys)
    assert (code, out) == (2, "")
    assert "mine.py is there already" in told
    assert (desk / "mine.py").read_text() == "x = 1\n"
    (desk / "mine").mkdir()
    assert called(["new", "loss", "mine", "--package"], capsys)[0] == 2, "the folder is taken"
    assert not list((desk / "mine").iterdir())


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["loss", "../mine"], "a letter first"),
        (["loss", "my loss"], "such as my-loss"),
        (["loss", "class"], "already; choose another"),
        (["loss", "json"], "already; choose another"),
        (["loss", "torchvision", "--package"], "Python has a word or a module 'torchvision' already"),
        (["loss", "ganbench-zoo"], "a module 'ganbench_zoo' already"),
        (["suite", "mine"], "'architecture', 'loss'"),
    ],
)
def test_wrong_words(words: list[str], reason: str, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, told = called(["new", *words], capsys)
    assert (code, out, told.count("\n")) == (2, "", 1)
    assert reason in told
    assert not list(desk.iterdir())


def test_a_name_that_is_taken(desk: Path, capsys: pytest.CaptureFixture[str], registry: plugins.Registry) -> None:
    code, _, told = called(["new", "loss", registry.names("loss")[0]], capsys)
    assert code == 2
    assert "registered already" in told
    assert not list(desk.iterdir())


def test_templates_are_python() -> None:
    folder = Path(sys.modules["ganbench.cli"].__file__ or "").parent / "templates"
    for file in folder.glob("*.py.txt"):
        assert ast.get_docstring(ast.parse(file.read_text().replace("$name", "mine").replace("$module", "mine")))
