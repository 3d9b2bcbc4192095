"""Plugins: three doors in, provenance of what came, and each module's failure its own."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganbench import api, plugins
from ganbench.errors import UsageError
from ganbench.sources import file_source

LOSS = """
from ganbench import Loss, hookimpl

@hookimpl
def ganbench_losses():
    yield Loss("{}", lambda D, real, fake: D(fake) - D(real), lambda D, fake: -D(fake))
"""
Writer = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Writes a file below the test's folder."""

    def make(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return make


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is found out about plugins here is not kept for later."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def package(write: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An importable package `test_pack` with a loss, which takes its pieces from helpers."""
    monkeypatch.syspath_prepend(str(tmp_path))
    write("test_pack/__init__.py", "")
    write("test_pack/losses/__init__.py", "from test_pack.helpers.again import again\n")
    write("test_pack/losses/mine.py", LOSS.format("packed") + "from test_pack.helpers.widths import WIDTH\n")
    write("test_pack/losses/lazy.py", LOSS.format("lazy") + "def later():\n    from ..helpers import again as a\n")
    write("test_pack/losses/plain.py", LOSS.format("plain"))
    write("test_pack/helpers/__init__.py", "")
    write("test_pack/helpers/widths.py", "from .again import again\nWIDTH = (8,)\n")
    write("test_pack/helpers/again.py", "def again(): ...\n")
    yield tmp_path / "test_pack"
    forget()


def forget() -> None:
    """Let the package be imported anew."""
    for name in [m for m in sys.modules if m.partition(".")[0] == "test_pack"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def test_the_door_of_installed_packages(registry: plugins.Registry) -> None:
    hinge = registry.find("loss", "hinge").provenance
    assert (hinge.module, hinge.provider, hinge.distribution, hinge.asked) == (
        "ganbench_zoo.losses.hinge",
        "zoo",
        "ganbench",
        False,
    )
    assert len(hinge.sha256) == 64 and hinge.version
    assert {e.kind for e in registry.entries} >= {"architecture", "loss", "dataset", "metric", "scale-row", "suite"}


def test_the_door_of_a_folder(write: Writer, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(f"{name}.py", LOSS.format(name))
    write("notes.txt", "no plugin")
    found = plugins.load(directories=[tmp_path])
    assert {"one", "two"} < set(found.names("loss")) and not found.broken
    one = found.find("loss", "one").provenance
    assert (one.provider, one.distribution, one.version, one.asked) == ("one", None, None, False)
    assert str(tmp_path) not in str(one.record())
    with pytest.raises(UsageError, match=r"--plugins-dir .*nowhere: no such folder"):
        plugins.load(directories=[tmp_path / "nowhere"])


def test_the_door_of_a_file(write: Writer, tmp_path: Path) -> None:
    file = write("mine.py", LOSS.format("mine"))
    first = plugins.load([str(file)]).find("loss", "mine").provenance
    assert first.asked and first.provider == "mine"
    again = plugins.load([str(file)], [tmp_path])
    assert [e.name for e in again.entries].count("mine") == 1, "the same file through two doors is one plugin"
    write("mine.py", LOSS.format("mine") + "# changed\n")
    changed = plugins.load([str(file)]).find("loss", "mine").provenance
    assert changed.sha256 != first.sha256 and changed.module != first.module


def test_the_door_of_a_module(package: Path) -> None:
    found = plugins.load(["test_pack"])
    assert {"packed", "lazy", "plain"} < set(found.names("loss")) and not found.broken
    packed = found.find("loss", "packed").provenance
    assert (packed.module, packed.provider, packed.asked) == ("test_pack.losses.mine", "test_pack", True)
    forget()
    assert plugins.load(["test_pack.losses.plain"]).get("loss", "plain").name == "plain"


def test_a_file_with_postponed_annotations_and_a_dataclass(write: Writer) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    text += "@dataclass\nclass State:\n    history: list[int]\n"
    file = write("kept.py", text + LOSS.format("kept"))
    assert plugins.load([str(file)]).get("loss", "kept").name == "kept"


@pytest.mark.parametrize(
    ("changed", "whose"),
    [
        ("losses/mine.py", {"packed"}),
        ("helpers/widths.py", {"packed"}),
        ("helpers/again.py", {"packed", "lazy"}),
        ("helpers/__init__.py", set()),
        ("losses/plain.py", {"plain"}),
    ],
)
def test_the_hash_covers_what_a_module_imports_of_its_own(package: Path, changed: str, whose: set[str]) -> None:
    """Also a constant, an import through another helper, and one inside a function."""
    before = hashes(plugins.load(["test_pack"]))
    with (package / changed).open("a") as file:
        file.write("# changed\n")
    forget()
    after = hashes(plugins.load(["test_pack"]))
    assert {name for name in ("packed", "lazy", "plain") if before[name] != after[name]} == whose


def hashes(registry: plugins.Registry) -> dict[str, str]:
    return {e.name: e.provenance.sha256 for e in registry.of("loss")}


def test_the_hash_does_not_depend_on_what_else_is_loaded(package: Path) -> None:
    with (package / "losses" / "plain.py").open("a") as file:
        file.write("import test_pack.helpers\n")
    all_loaded = plugins.load(["test_pack"]).find("loss", "plain").provenance
    forget()
    only = {all_loaded.module: all_loaded.sha256}
    assert plugins.load(["test_pack"], only=only).names("loss") == ["plain"]
    assert not [m for m in sys.modules if m.startswith("test_pack.losses.mine")], "nothing else was imported"


@pytest.mark.parametrize(
    ("said", "version", "reason"),
    [
        (2, 1, "version 2 of the plugin API, and this ganbench has 1: pip install --upgrade ganbench"),
        (1, 3, "version 1 of the plugin API, and this ganbench takes 2 and later: get a newer release of the plugin"),
        ("'1'", 1, "ganbench_api = '1' must be a whole number, such as 1"),
        (True, 1, "ganbench_api = True must be a whole number"),
    ],
)
def test_another_version_of_the_api(
    said: object, version: int, reason: str, write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said before its hooks are called, for they may look different there."""
    file = write("other.py", f"ganbench_api = {said}\n" + LOSS.format("mine").replace("losses()", "losses(more)"))
    monkeypatch.setattr(api, "API_VERSION", version)
    monkeypatch.setattr(api, "OLDEST_API", max(1, version - 1))
    with pytest.raises(TypeError) as error:
        plugins.register(file_source(file))
    assert reason in str(error.value)
    write("other.py", f"ganbench_api = {version}\n" + LOSS.format("mine"))
    assert [e.name for e in plugins.register(file_source(file))] == ["mine"]


def test_a_deprecated_name_can_be_made_an_error(write: Writer) -> None:
    """As docs/plugins.md says: with the plugin's line."""
    warns = "import warnings\nwarnings.warn('Old is gone in 0.4: use New', DeprecationWarning)\n"
    file = write("old.py", warns + LOSS.format("old"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        with pytest.raises(UsageError, match=r"old\.py, line 2: DeprecationWarning: Old is gone in 0\.4: use New"):
            plugins.load([str(file)])


BROKEN = {
    "syntax": ("x = 1\ndef f(:\n", "line 2: SyntaxError: "),
    "import": ("x = 1\nimport no_such_module_here\n", "line 2: ModuleNotFoundError: No module named"),
    "exit": ("import sys\nsys.exit(3)\n", "line 2: SystemExit: 3"),
    "raises": ("\n\nraise RuntimeError('two\\nlines')\n", "line 3: RuntimeError: two lines"),
    "misspelt hook": (LOSS.replace("ganbench_losses", "ganbench_loses"), "unknown hook ganbench_loses; did you mean"),
    "no hookimpl": (LOSS.replace("@hookimpl\n", ""), "ganbench_losses lacks the line @hookimpl above it"),
    "unknown term": (
        LOSS.replace("D, real, fake", "D, reel, fake"),
        "line 6: HookError: loss 'half': a term cannot name 'reel'; did you mean real",
    ),
    "wrong record": (
        LOSS.replace("_losses", "_metrics"),
        "line 6: HookError: a metric hook must yield Metric, not Loss",
    ),
    "no record": (LOSS.replace("yield Loss", "yield dict; Loss"), "a loss hook must yield Loss, not type"),
    "wrong argument": (LOSS.replace("lambda D, fake", "terms=lambda D, fake"), "line 6: TypeError: "),
    "hook raises": (LOSS.replace("    yield", "    1 / 0\n    yield"), "line 6: ZeroDivisionError: division by zero"),
    "raises late": (LOSS + "    raise KeyError('k')\n", "line 7: KeyError: 'k'"),
    "no terms": (LOSS.partition("yield")[0] + "yield Loss('x')\n", "loss 'x' has neither a term nor a build"),
    "bad name": (LOSS.replace("{}", "a b"), "line 6: HookError: loss name 'a b' must be a word"),
    "returns": (
        LOSS.replace("yield", "return"),
        "line 4: HookError: hook ganbench_losses must yield its records, and ",
    ),
    "nothing": (LOSS.partition("yield")[0] + "pass\n", "returned None: write yield Loss(…)"),
}


METRIC = """
from ganbench import Column, Metric, hookimpl

@hookimpl
def ganbench_metrics():
    columns = (Column("x", "lower"),)
    yield Metric("half", {})
"""
BROKEN |= {
    name: (METRIC.replace("{}", given), f"line 7: HookError: metric 'half'{reason}")
    for name, given, reason in (
        ("words for columns", '("samples",), print, ("x",)', ": a column must be Column(name, direction), not 'x'"),
        ("a column alone", '("samples",), print, Column("x", "lower")', ": columns must be a tuple such as (Column("),
        ("no columns", '("samples",), print, ()', ": columns must be a tuple"),
        (
            "a direction",
            '("samples",), print, (Column("x", "lwer"),)',
            ", column 'x': direction 'lwer' is none; did you mean lower?",
        ),
        (
            "another direction",
            '("samples",), print, (Column("x", 1),)',
            ", column 'x': direction 1 is none; there are: ",
        ),
        ("a unit", '("samples",), print, (Column("x", "none", 3),)', ", column 'x': unit must be a word"),
        ("no truth", '("samples",), print, (Column("x", "none", "", 0),)', ", column 'x': positive must be True or"),
        ("a column's name", '("samples",), print, (Column("x/y", "none"),)', ": column name 'x/y' must be a word"),
        ("a column twice", '("samples",), print, columns * 2', " has two columns 'x'"),
        ("a need", '("feature",), print, columns', ": it cannot need 'feature'; did you mean features"),
        ("a need in words", '"features", print, columns', ": needs must be a tuple of words"),
        ("no function", '("samples",), 3, columns', ": compute must be a function, not 3"),
        (
            "a neutral one",
            '("samples",), print, columns, {"memory": 1}, neutral=("mem",)',
            ": neutral names no parameter 'mem'; did you mean memory?",
        ),
        ("a version", '("samples",), print, columns, version="2"', ": version must be a whole number from 1 on"),
    )
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_module_is_rolled_back_alone(write: Writer, tmp_path: Path, case: str) -> None:
    text, reason = BROKEN[case]
    file = write("bad.py", text.replace("{}", "half"))
    write("good.py", LOSS.format("good"))
    found = plugins.load(directories=[tmp_path])
    assert "good" in found.names("loss") and "hinge" in found.names("loss")
    assert not [e for e in found.entries if e.provenance.provider == "bad"], "nothing of it stays"
    (broken,) = found.broken
    assert broken.source == str(file) and reason in broken.reason and "\n" not in broken.reason
    with pytest.raises(UsageError, match=r"no loss 'half'.*1 plugin\(s\) could not be loaded"):
        found.get("loss", "half")
    with pytest.raises(UsageError) as error:
        plugins.load([str(file)])
    assert str(error.value).startswith(f"plugin {file}: ") and reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_parameter_of_a_term_that_has_a_default_is_its_own(write: Writer) -> None:
    file = write("mine.py", LOSS.format("own").replace("D, real, fake:", "D, real, fake, *, margin=1.0, **more:"))
    assert plugins.load([str(file)]).get("loss", "own").name == "own"


def test_a_broken_module_that_is_asked_for_behind_another_door(write: Writer, tmp_path: Path) -> None:
    file = write("bad.py", BROKEN["raises"][0])
    with pytest.raises(UsageError, match=r"bad\.py, line 3: RuntimeError: two lines"):
        plugins.load([str(file)], [tmp_path])


def test_a_broken_module_of_a_package(package: Path) -> None:
    (package / "helpers" / "again.py").write_text("\nraise RuntimeError('helper')\n")
    with pytest.raises(UsageError, match=r"plugin test_pack\.helpers\.again: again\.py, line 2: RuntimeError: helper"):
        plugins.load(["test_pack"])
    forget()
    with pytest.raises(UsageError, match=r"plugin test_pack\.losses\.plain: again\.py, line 2: RuntimeError: helper"):
        plugins.load(["test_pack.losses.plain"])


@pytest.mark.parametrize("name", ["nowhere.py", "no_such_module_here", "no.such.module", "", "a folder", "./x", "../"])
def test_what_is_neither_file_nor_module(name: str) -> None:
    with pytest.raises(
        UsageError,
        match=r"^-p .*(no such file|neither a file nor an importable module|is a folder; .* --plugins-dir \.\./$)",
    ):
        plugins.load([name])


def test_one_name_twice(write: Writer) -> None:
    files = [str(write(f"{name}.py", LOSS.format("same"))) for name in ("one", "two")]
    found = plugins.load(files)
    with pytest.raises(UsageError, match="loss 'same' is registered by several plugins; pick one: one:same, two:same"):
        found.get("loss", "same")
    for name in ("two:same", "two:loss/same", "loss/two:same"):
        assert found.find("loss", name).provenance.provider == "two"
    with pytest.raises(UsageError, match="no loss 'three:same'"):
        found.get("loss", "three:same")


def test_a_name_that_is_taken(write: Writer, tmp_path: Path) -> None:
    """It stays with who had it, until the other is asked for by `-p`."""
    file = write("mine.py", LOSS.format("hinge"))
    unasked, asked = plugins.load(directories=[tmp_path]), plugins.load([str(file)])
    assert unasked.find("loss", "hinge").provenance.provider == "zoo"
    assert asked.find("loss", "hinge").provenance.provider == "mine"
    for registry in (unasked, asked):
        assert registry.find("loss", "mine:hinge").provenance.provider == "mine"
        assert registry.find("loss", "zoo:hinge").provenance.provider == "zoo"
        (line,) = registry.clashes()
        assert line.startswith("loss 'hinge' is claimed by ") and "zoo:hinge" in line and str(file) in line


def test_names_of_things(registry: plugins.Registry) -> None:
    assert registry.get("architecture", "dcgan") is not registry.get("preset", "dcgan")
    assert registry.find("loss", "loss/hinge") is registry.find("loss", "zoo:hinge") is registry.component("hinge")
    assert registry.component("gradient-penalty").kind == "regularizer"
    with pytest.raises(UsageError, match="no loss 'hing'; did you mean hinge"):
        registry.find("loss", "hing")
    with pytest.raises(UsageError, match="no component 'gradient-penalti'; did you mean gradient-penalty"):
        registry.component("gradient-penalti")


def test_a_child_loads_what_its_run_was_planned_with_only(write: Writer, tmp_path: Path) -> None:
    mine = write("mine.py", LOSS.format("mine"))
    write("other.py", f"from pathlib import Path\nPath({str(tmp_path / 'trace')!r}).touch()\n" + LOSS.format("other"))
    provenance = plugins.load([str(mine)]).find("loss", "mine").provenance
    only = {provenance.module: provenance.sha256}
    found = plugins.load([str(mine)], [tmp_path], only=only)
    assert [e.name for e in found.entries] == ["mine"] and not (tmp_path / "trace").exists()
    with pytest.raises(UsageError, match="is not the one this run was planned with"):
        plugins.load([str(mine)], only={provenance.module: "0" * 64})
    with pytest.raises(UsageError, match=f"plugin {provenance.module} is not installed here; install it"):
        plugins.load(only=only)
    edited = write("mine.py", LOSS.format("mine") + "# changed\n")
    now = plugins.load([str(edited)]).find("loss", "mine").provenance.sha256
    hashes = rf"\(sha256 {now[:12]}… here, {provenance.sha256[:12]}… recorded\)"
    with pytest.raises(UsageError, match=f"^plugin mine: the code of {edited} differs from the run's {hashes}; give"):
        plugins.load([str(edited)], only=only)
