"""The three doors for plugins: what modules there are, found without importing any of them."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path
from types import ModuleType

from ganbench.errors import UsageError

GROUP = "ganbench"
OWN = "ganbench"
"""The distribution whose modules are trusted: it is this program's own."""
FILE = "ganbench_file_"
"""Before the names of modules that are single files; the end is a hash of what the file holds."""


@dataclass(frozen=True)
class Source:
    """A module that may be a plugin.

    label: what a warning calls it. door: how it came in, in words. word: names it to a child process (a file's path, or
    a module). files: what is hashed before it is imported (the file; every Python and TOML file of its top-level
    package). load: imports it.
    """

    module: str
    label: str
    provider: str
    distribution: str | None
    asked: bool
    door: str
    word: str
    files: tuple[Path, ...]
    load: Callable[[], ModuleType]

    @property
    def trusted(self) -> bool:
        """Whether it comes with this program."""
        return self.distribution == OWN


Complain = Callable[[str, str], None]
"""Takes a door that leads nowhere, and why."""


def find_sources(asked: Iterable[str], directories: Iterable[Path], complain: Complain) -> list[Source]:
    """Every source behind the doors, each once; one that is behind several counts as asked if `asked` names it."""
    found = [*_entry_points(complain), *_folders(directories, complain), *_asked(asked)]
    wanted = {source.module for source in found if source.asked}
    once = {source.module: source for source in reversed(found)}
    order = dict.fromkeys(source.module for source in found)
    return [replace(once[module], asked=module in wanted) for module in order]


def _entry_points(complain: Complain) -> Iterator[Source]:
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        try:
            distribution = point.dist.name if point.dist else None
            yield from walk(point.module, point.name, distribution, door=f"entry point {point.name}")
        except Exception as error:
            complain(f"entry point {point.name} = {point.value}", f"{type(error).__name__}: {error}")


def _folders(directories: Iterable[Path], complain: Complain) -> Iterator[Source]:
    for directory in directories:
        if not directory.is_dir():
            raise UsageError(f"--plugins-dir {directory}: no such folder")
        for file in sorted(directory.glob("*.py")):
            try:
                if not file.is_file():
                    raise OSError("no file")
                yield file_source(file, door="--plugins-dir")
            except OSError as error:
                complain(str(file), f"cannot be read ({error.strerror or error})")


def _asked(asked: Iterable[str]) -> Iterator[Source]:
    for name in asked:
        path = Path(name)
        if path.suffix == ".py" or path.is_file():
            try:
                if not path.is_file():
                    raise UsageError(f"-p {name}: no such file; give a Python file or an importable module")
                yield file_source(path, door="-p", asked=True)
            except OSError as error:
                raise UsageError(f"-p {name}: cannot be read ({error.strerror})") from None
            continue
        try:
            yield from walk(name, name, _distribution(name), door="-p", asked=True)
        except (ValueError, ImportError):
            what, mend = "neither a file nor an importable module", "give a Python file, or install the module"
            if name and path.is_dir():
                what, mend = "is a folder", f"give one of its files, or all of them with --plugins-dir {name}"
            raise UsageError(f"-p {name}: {what}; {mend}") from None


def walk(
    module: str, provider: str, distribution: str | None = None, *, door: str = "", asked: bool = False
) -> Iterator[Source]:
    """A module, or every module of a package."""
    spec = _find(module)
    names = [module]
    if spec.submodule_search_locations:
        names += _iter_modules(list(spec.submodule_search_locations), module + ".")
    files = _files(module)
    for name in names:
        load = functools.partial(importlib.import_module, name)
        yield Source(name, name, provider, distribution, asked, door, name, files, load)


def _find(module: str) -> ModuleSpec:
    """Where a module is; unlike `importlib.util.find_spec`, this never runs the packages above it."""
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top)
    name = top
    for part in rest:
        name += f".{part}"
        places = spec.submodule_search_locations if spec else None
        spec = PathFinder.find_spec(name, list(places)) if places else None
    if spec is None:
        raise ModuleNotFoundError(f"no module named {module}")
    return spec


def _files(module: str) -> tuple[Path, ...]:
    """The Python and TOML files of a module's top-level package, in order."""
    spec = _find(module.partition(".")[0])
    if spec.submodule_search_locations:
        files = (f for place in spec.submodule_search_locations for f in Path(place).rglob("*"))
        return tuple(sorted(f for f in files if f.suffix in (".py", ".toml")))
    return (Path(spec.origin),) if spec.origin and Path(spec.origin).is_file() else ()


def _iter_modules(paths: list[str], prefix: str) -> Iterator[str]:
    for info in sorted(pkgutil.iter_modules(paths, prefix), key=lambda i: i.name):
        yield info.name
        if info.ispkg:
            yield from _iter_modules([str(Path(p) / info.name.rpartition(".")[2]) for p in paths], info.name + ".")


def file_source(file: Path, *, door: str = "", asked: bool = False) -> Source:
    """One file; its module's name carries the hash of what it holds."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    module = f"{FILE}{file.stem}_{digest[:8]}"
    path = file.resolve()
    load = functools.partial(_load_file, module, path)
    return Source(module, str(file), file.stem, None, asked, door, str(path), (path,), load)


def edited(module: str, other: str) -> str | None:
    """The name of the file that two modules are, before and after an edit; None if they are no such two."""
    (before, _, one), (after, _, two) = module.rpartition("_"), other.rpartition("_")
    return before.removeprefix(FILE) if before.startswith(FILE) and before == after and one != two else None


def _load_file(module: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(module, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded  # before it runs: dataclasses with postponed annotations look themselves up there
    try:
        spec.loader.exec_module(loaded)
    except BaseException:
        sys.modules.pop(module, None)
        raise
    return loaded


def _distribution(module: str) -> str | None:
    found = packages_distributions().get(module.partition(".")[0])
    return found[0] if found else None
