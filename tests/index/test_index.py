"""The index says what the registry says, is made again when a file changes, and works where nothing can be kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganbench import index, plugins
from ganbench.errors import UsageError
from ganbench.index import Index
from ganbench.index.describe import describe
from ganbench.plugins import Registry

TOY = Path(__file__).parents[1] / "execute" / "toy.py"
LOSS = """
from ganbench import Loss, hookimpl
@hookimpl
def ganbench_losses():
    yield Loss("{}", None, lambda D, fake: -D(fake), recipe={{"x.limit": float("inf")}})
"""
ODD = """
from ganbench import Architecture, hookimpl
class Sulks:
    def __str__(self):
        raise RuntimeError
    __repr__ = __str__
@hookimpl
def ganbench_architectures():
    yield Architecture("odd", None, None, accepts=Sulks())
"""
DIES_LATER = """
import os
from pathlib import Path
if Path({0!r}).exists():
    os._exit(7)
Path({0!r}).touch()
"""

pytestmark = pytest.mark.xdist_group("index")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A plugin of each sort, an empty cache."""
    folder = tmp_path_factory.mktemp("desk")
    for name, text in {
        "mine": LOSS.format("hinge"),
        "odd": ODD,
        "broken": "import nonsense_that_is_not_there\n",
    }.items():
        (folder / f"{name}.py").write_text(text)
    for suffix in (".py", ".toml"):
        shutil.copy(TOY.with_suffix(suffix), folder / f"toy{suffix}")
    (folder / "deep").mkdir()
    shutil.move(folder / "mine.py", folder / "deep")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANBENCH_CACHE", str(folder / "cache"))
        yield folder


def look(desk: Path) -> Index:
    return Index.of([str(desk / "deep" / "mine.py")], [desk])


@pytest.fixture(scope="module")
def live(desk: Path) -> Registry:
    return plugins.load([str(desk / "deep" / "mine.py")], [desk])


@pytest.fixture(scope="module")
def told(desk: Path) -> Registry:
    """What the child tells."""
    assert look(desk).kept() is None
    return look(desk).load()


def test_it_says_what_the_registry_says(live: Registry, told: Registry, desk: Path) -> None:
    assert len(told.entries) > 40 and told.broken
    assert told == describe(live)
    assert look(desk).kept() == told
    for kind in plugins.KINDS:
        assert told.names(kind) == live.names(kind)
    assert told.clashes() == live.clashes() != []


@pytest.mark.parametrize("name", ["hinge", "mine:hinge", "zoo:loss/hinge", "loss/lsgan", "hing", "theirs:hinge"])
def test_a_name_means_the_same(name: str, live: Registry, told: Registry) -> None:
    def found(registry: Registry) -> tuple[object, ...]:
        try:
            entry = registry.find("loss", name)
        except UsageError as error:
            return (str(error),)
        return entry.kind, entry.name, entry.provenance

    assert found(told) == found(live)


def test_a_record_that_cannot_be_described_spoils_no_other(told: Registry) -> None:
    odd = told.get("architecture", "odd")
    assert odd.broken == "architecture 'odd' cannot be described: RuntimeError"
    assert told.get("architecture", "mlp").broken is None


def test_values_that_json_lacks(told: Registry) -> None:
    assert told.get("loss", "mine:hinge").fields["recipe"] == {"x.limit": "inf"}


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file is edited": lambda desk: (desk / "odd.py").write_text(ODD + "# edited\n"),
    "a file that was asked for is edited": lambda desk: (desk / "deep" / "mine.py").write_text(LOSS.format("other")),
    "a broken file is mended": lambda desk: (desk / "broken.py").write_text(LOSS.format("mended")),
    "a file comes": lambda desk: (desk / "more.py").write_text(LOSS.format("more")),
    "a file goes": lambda desk: (desk / "odd.py").unlink(),
    "a suite is edited": lambda desk: (desk / "toy.toml").write_text("title = 'nothing'\n"),
    "a suite goes": lambda desk: (desk / "toy.toml").unlink(),
    "a suite comes": lambda desk: (desk / "more.toml").touch(),
}


@pytest.fixture
def copied(desk: Path, told: Registry, tmp_path: Path) -> Path:
    """The desk somewhere else, and its index."""
    shutil.copytree(desk, tmp_path, dirs_exist_ok=True)
    at = str(tmp_path)
    look(tmp_path).keep(describe(plugins.load([f"{at}/deep/mine.py"], [tmp_path])))
    assert look(tmp_path).kept() is not None
    return tmp_path


def test_whatever_changes_is_seen(copied: Path) -> None:
    originals = {file: file.read_text() for file in copied.rglob("*.*") if file.suffix in (".py", ".toml")}
    for what, change in CHANGES.items():
        change(copied)
        assert look(copied).kept() is None, what
        for file in copied.glob("more.*"):
            file.unlink()
        for file, text in originals.items():
            file.write_text(text)
        assert look(copied).kept() is not None, f"{what}, and back"


def test_what_is_made_again_is_what_there_is_now(copied: Path) -> None:
    for what in ("a file that was asked for is edited", "a file comes", "a file goes", "a broken file is mended"):
        CHANGES[what](copied)
    found = look(copied).load()
    assert {"other", "more", "mended"} < set(found.names("loss")) and "odd" not in found.names("architecture")
    assert found.broken == [] and found.find("loss", "hinge").provenance.distribution == "ganbench"


def test_one_that_changes_while_it_is_read_is_not_kept(copied: Path, told: Registry) -> None:
    before = look(copied)
    CHANGES["a file is edited"](copied)
    after = look(copied)
    before.keep(told)
    assert before.key != after.key and after.kept() is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"schema_version": 1, "entries": [{"kind": 1}], "broken": []}', None]
)
def test_a_damaged_index_or_a_newer_programs_is_none(text: str | None, desk: Path, told: Registry) -> None:
    file = look(desk).file
    whole = file.read_text()
    newer = whole.replace('"schema_version": 1', '"schema_version": 99')
    assert newer != whole
    file.write_text(newer if text is None else text)
    assert look(desk).kept() is None
    look(desk).keep(told)
    assert look(desk).kept() == told


def test_a_cache_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "file" / "cache"))
    assert "hinge" in Index.of((), ()).load().names("loss")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_only_the_newest_are_kept(desk: Path, told: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "KEPT", 2)
    for at in range(4):
        (desk / "deep" / f"{at}.py").write_text(LOSS.format(at))
        Index.of([str(desk / "deep" / f"{at}.py")], ()).keep(told)
    kept = [Index.of([str(desk / "deep" / f"{at}.py")], ()).kept() is not None for at in range(4)]
    assert kept == [False, False, True, True]
    look(desk).keep(told)


def test_a_process_that_ends_early_is_one_line(tmp_path: Path) -> None:
    """One that was harmless when it was tried out, and is not when it is loaded."""
    file = tmp_path / "dies_later.py"
    file.write_text(DIES_LATER.format(str(tmp_path / "trace")) + LOSS.format("later"))
    with pytest.raises(UsageError, match="plugins: the process that loads them ended with code 7"):
        Index.of([str(file)], ()).load()
