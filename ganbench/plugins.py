"""From sources to a registry: one loader, three doors.

Doors: entry points of the group `ganbench` (a module, or a package that is walked module by module), `--plugins-dir
DIR`, and `-p FILE|MODULE`. Each module is imported, registered, validated and, on failure, rolled back alone.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, entry_points, packages_distributions, version
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from ganbench import api, hookspecs
from ganbench.errors import UsageError, nearest

GROUP = "ganbench"

KINDS: dict[str, tuple[str, type]] = {
    "architecture": ("ganbench_architectures", api.Architecture),
    "loss": ("ganbench_losses", api.Loss),
    "regularizer": ("ganbench_regularizers", api.Regularizer),
    "augmentation": ("ganbench_augmentations", api.Augmentation),
    "preset": ("ganbench_presets", api.Preset),
    "game": ("ganbench_games", api.GameBuilder),
    "dataset": ("ganbench_datasets", api.Dataset),
    "extractor": ("ganbench_extractors", api.Extractor),
    "metric": ("ganbench_metrics", api.Metric),
    "scale-row": ("ganbench_scale_rows", api.ScaleRow),
    "suite": ("ganbench_suites", api.SuiteFile),
}


@dataclass(frozen=True)
class Provenance:
    """Where a plugin came from; `sha256` covers the module and what it imports from its own package."""

    module: str
    provider: str
    distribution: str | None
    version: str | None
    sha256: str
    asked: bool

    def record(self) -> dict[str, Any]:
        """The part that goes into a record: no path of this machine."""
        return {
            "module": self.module,
            "provider": self.provider,
            "distribution": self.distribution,
            "version": self.version,
            "sha256": self.sha256,
        }


@dataclass(frozen=True)
class Registered:
    """A record and the plugin that brought it."""

    kind: str
    name: str
    record: Any
    provenance: Provenance


@dataclass(frozen=True)
class Broken:
    """A plugin that is not there, and why."""

    source: str
    reason: str


@dataclass
class Registry:
    """Everything that plugins registered, by kind and name."""

    entries: list[Registered] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    def names(self, kind: str) -> list[str]:
        """The names of one kind, sorted."""
        return sorted({e.name for e in self.entries if e.kind == kind})

    def of(self, kind: str) -> list[Registered]:
        """All of one kind, by name."""
        return sorted((e for e in self.entries if e.kind == kind), key=lambda e: e.name)

    def find(self, kind: str, name: str) -> Registered:
        """One by `name` or `provider:name` (`kind/` before either is allowed); an error with the nearest names
        otherwise."""
        wanted = name.removeprefix(f"{kind}/")
        provider, _, bare = wanted.rpartition(":")
        provider, bare = provider.removesuffix(f":{kind}"), bare.removeprefix(f"{kind}/")
        found = [
            e for e in self.entries if e.kind == kind and e.name == bare and provider in ("", e.provenance.provider)
        ]
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(f"{e.provenance.provider}:{bare}" for e in found)
            raise UsageError(f"{kind} '{bare}' is registered by several plugins; pick one: {choices}")
        raise UsageError(f"no {kind} '{name}'; {nearest(bare, self.names(kind))}{self._broken_hint()}")

    def get(self, kind: str, name: str) -> Any:
        """The record of `find`."""
        return self.find(kind, name).record

    def component(self, name: str) -> Registered:
        """A loss, regularizer or augmentation, whichever has this name."""
        for kind in ("loss", "regularizer", "augmentation"):
            if name.rpartition(":")[2].removeprefix(f"{kind}/") in self.names(kind):
                return self.find(kind, name)
        names = [n for kind in ("loss", "regularizer", "augmentation") for n in self.names(kind)]
        raise UsageError(f"no component '{name}'; {nearest(name, names)}{self._broken_hint()}")

    def _broken_hint(self) -> str:
        return f" ({len(self.broken)} plugin(s) could not be loaded: see the warnings)" if self.broken else ""


def load(
    asked: Iterable[str] = (),
    directories: Iterable[Path] = (),
    only: Mapping[str, str] | None = None,
) -> Registry:
    """Load plugins through the three doors.

    asked: files or modules named by `-p`; a failure in one is an error. directories: every `*.py` in them. only: module
    names and content hashes of the plugins that take part in a run: nothing else is imported, and a hash that differs
    is an error.
    """
    manager = pluggy.PluginManager("ganbench")
    manager.add_hookspecs(hookspecs)
    registry = Registry()
    seen: set[str] = set()
    for source in _sources(list(asked), list(directories), registry):
        if source.module in seen or (only is not None and source.module not in only):
            continue
        seen.add(source.module)
        try:
            found = _register(manager, source)
        except (Exception, SystemExit) as error:
            reason = _one_line(error, source)
            if source.asked or only is not None:
                raise UsageError(f"plugin {source.label}: {reason}") from error
            registry.broken.append(Broken(source.label, reason))
            continue
        if only is not None and found and found[0].provenance.sha256 != only[source.module]:
            raise UsageError(
                f"plugin {source.module} is not the one this run was planned with (its files have changed); "
                "plan again with ganbench run, or give the old version"
            )
        registry.entries += found
    if only is not None and (missing := set(only) - {e.provenance.module for e in registry.entries}):
        raise UsageError(
            f"plugin {', '.join(sorted(missing))} is needed by this run and is not installed here; "
            "install it, or give its file with -p"
        )
    return registry


@dataclass(frozen=True)
class _Source:
    module: str
    label: str
    provider: str
    distribution: str | None
    asked: bool
    load: Callable[[], ModuleType]


def _sources(asked: list[str], directories: list[Path], registry: Registry) -> Iterator[_Source]:
    for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        distribution = point.dist.name if point.dist else None
        try:
            yield from _walk(point.module, point.name, distribution, asked=False)
        except Exception as error:
            registry.broken.append(
                Broken(f"entry point {point.name} = {point.value}", f"{type(error).__name__}: {error}")
            )
    for directory in directories:
        if not directory.is_dir():
            raise UsageError(f"--plugins-dir {directory}: no such folder")
        for file in sorted(directory.glob("*.py")):
            yield _file_source(file, asked=False)
    for name in asked:
        path = Path(name)
        if path.suffix == ".py" or path.is_file():
            if not path.is_file():
                raise UsageError(f"-p {name}: no such file; give a Python file or an importable module")
            yield _file_source(path, asked=True)
        else:
            with contextlib.suppress(ValueError, ImportError):
                if importlib.util.find_spec(name) is not None:
                    yield from _walk(name, name, _distribution(name), asked=True)
                    continue
            raise UsageError(
                f"-p {name}: neither a file nor an importable module; give a Python file, or install the module"
            )


def _walk(module: str, provider: str, distribution: str | None, *, asked: bool) -> Iterator[_Source]:
    """A module, or every module of a package (its files are found without importing them)."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        raise ModuleNotFoundError(f"no module named {module}")
    names = [module]
    if spec.submodule_search_locations:
        names += _iter_modules(list(spec.submodule_search_locations), module + ".")
    for name in names:
        yield _Source(name, name, provider, distribution, asked, functools.partial(importlib.import_module, name))


def _iter_modules(paths: list[str], prefix: str) -> Iterator[str]:
    for info in sorted(pkgutil.iter_modules(paths, prefix), key=lambda i: i.name):
        yield info.name
        if info.ispkg:
            yield from _iter_modules([str(Path(p) / info.name.rpartition(".")[2]) for p in paths], info.name + ".")


def _file_source(file: Path, *, asked: bool) -> _Source:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    module = f"ganbench_file_{file.stem}_{digest[:8]}"

    def load() -> ModuleType:
        spec = importlib.util.spec_from_file_location(module, file.resolve())
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

    return _Source(module, str(file), file.stem, None, asked, load)


def _register(manager: pluggy.PluginManager, source: _Source) -> list[Registered]:
    module = source.load()
    manager.register(module, source.module)
    try:
        misspelt = [n for n in vars(module) if n.startswith("ganbench_") and hasattr(vars(module)[n], "ganbench_impl")]
        known = {hook for hook, _ in KINDS.values()}
        for name in misspelt:
            if name not in known:
                raise TypeError(f"unknown hook {name}; {nearest(name, known)}")
        manager.check_pending()
        provenance = _provenance(module, source)
        found: list[Registered] = []
        for kind, (hook, expected) in KINDS.items():
            for implementation in getattr(manager.hook, hook).get_hookimpls():
                if implementation.plugin_name != source.module:
                    continue
                for record in implementation.function():
                    validate(kind, record, expected)
                    found.append(Registered(kind, record.name, record, provenance))
        return found
    except BaseException:
        manager.unregister(name=source.module)
        raise


def validate(kind: str, record: Any, expected: type) -> None:
    """Hold a record to what can be checked without running it: its type, its name, the names its functions ask for."""
    if not isinstance(record, expected):
        raise TypeError(f"a {kind} hook must yield {expected.__name__}, not {type(record).__name__}")
    name = getattr(record, "name", None)
    if not isinstance(name, str) or not name or name != name.strip() or any(c in name for c in "/:\\ \n\t"):
        raise TypeError(f"{kind} name {name!r} must be a word without spaces, '/', ':' or '\\'")
    if isinstance(record, api.Component):
        for term in (record.discriminator, record.generator):
            if term is not None:
                unknown = set(inspect.signature(term).parameters) - api.TERM_NAMES
                if unknown:
                    first = sorted(unknown)[0]
                    raise TypeError(f"{kind} '{name}': a term cannot name '{first}'; {nearest(first, api.TERM_NAMES)}")
        if not (record.discriminator or record.generator or record.build):
            raise TypeError(f"{kind} '{name}' has neither a term nor a build: it would do nothing")
    if isinstance(record, api.Loss) and not (record.discriminator or record.generator):
        raise TypeError(f"loss '{name}' has no term")


def _provenance(module: ModuleType, source: _Source) -> Provenance:
    release = None
    if source.distribution:
        with contextlib.suppress(PackageNotFoundError):
            release = version(source.distribution)
    return Provenance(source.module, source.provider, source.distribution, release, content_hash(module), source.asked)


def content_hash(module: ModuleType) -> str:
    """sha256 over a module's file and the files of what it imports from its own top-level package, in order of name."""
    top = module.__name__.partition(".")[0]
    seen: dict[str, ModuleType] = {}
    todo = [module]
    while todo:
        current = todo.pop()
        if current.__name__ in seen:
            continue
        seen[current.__name__] = current
        for value in vars(current).values():
            owner = (
                value if isinstance(value, ModuleType) else sys.modules.get(getattr(value, "__module__", None) or "")
            )
            if owner is not None and owner.__name__.partition(".")[0] == top:
                todo.append(owner)
    digest = hashlib.sha256()
    for _, current in sorted(seen.items()):
        if file := getattr(current, "__file__", None):
            digest.update(hashlib.sha256(Path(file).read_bytes()).digest())
    return digest.hexdigest()


def _distribution(module: str) -> str | None:
    found = packages_distributions().get(module.partition(".")[0])
    return found[0] if found else None


def _one_line(error: BaseException, source: _Source) -> str:
    """The error, with the file and line of the plugin it came from."""
    where = ""
    if isinstance(error, SyntaxError):
        where = f"line {error.lineno}: "
    else:
        frames = [
            f
            for f in traceback.extract_tb(error.__traceback__)
            if "ganbench/plugins.py" not in f.filename and "importlib" not in f.filename
        ]
        if frames:
            where = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}: "
    return f"{where}{type(error).__name__}: {error}".replace("\n", " ")
