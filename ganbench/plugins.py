"""From sources to a registry: one loader, three doors.

Doors: entry points of the group `ganbench` (a module, or a package that is walked module by module), `--plugins-dir
DIR`, and `-p FILE|MODULE`. Each module is imported, registered and validated alone; one that does not come with this
program is first tried out in a process of its own (`ganbench.probe`), and cannot change this one by being imported.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from ganbench import api, hookspecs, probe
from ganbench.code_hash import code_hash, files_hash
from ganbench.contract import HookError, check_version, records
from ganbench.errors import UsageError, nearest, short
from ganbench.own_data.source import PREFIX
from ganbench.sources import OWN, Source, edited, find_sources
from ganbench.undisturbed import undisturbed

LONGEST = 500
"""Characters of an error that are shown."""

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
    "check": ("ganbench_checks", api.Check),
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
    source: str = ""
    """What a message calls it: the file as it was given, or the module."""
    door: str = ""
    """How it came in, in words."""

    @property
    def rank(self) -> int:
        """Who has a name that several plugins claim: what was asked for, then what comes with this program."""
        return 2 if self.asked else int(self.distribution == OWN)

    def record(self) -> dict[str, Any]:
        """The part that goes into a record: no path of this machine."""
        return {
            "module": self.module,
            "provider": self.provider,
            "distribution": self.distribution,
            "version": self.version,
            "sha256": self.sha256,
        }


NO_PLUGIN = Provenance("", "own", None, None, "", False, door="a suite")
"""Of a suite's own data: its content alone is what it is, whatever code read it."""


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
        otherwise. Of several plugins with this name, the one that was asked for counts; what they yield is then named
        `provider:name`, so that its rows are never taken for those of another (this program's own keep the bare name).
        Own data of a suite is found by its content (`own:<hash>`) in the cache.
        """
        wanted = name.removeprefix(f"{kind}/")
        if kind == "dataset" and wanted.startswith(PREFIX):
            from ganbench.own_data import store  # not above: it imports NumPy

            if own := store.find(wanted):
                return Registered(kind, own.name, own, NO_PLUGIN)
        provider, _, bare = wanted.rpartition(":")
        provider, bare = provider.removesuffix(f":{kind}"), bare.removeprefix(f"{kind}/")
        claims = [e for e in self.entries if e.kind == kind and e.name == bare]
        found = _foremost(e for e in claims if provider in ("", e.provenance.provider))
        if len(found) == 1:
            source = found[0].provenance
            plain = len(claims) == 1 or source.distribution == OWN
            return found[0] if plain else replace(found[0], name=f"{source.provider}:{bare}")
        if found:
            choices = ", ".join(f"{e.provenance.provider}:{bare}" for e in found)
            raise UsageError(f"{kind} '{bare}' is registered by several plugins; pick one: {choices}")
        raise UsageError(f"no {kind} {short(name)}; {nearest(bare, self.names(kind))}{self._broken_hint()}")

    def clashes(self) -> list[str]:
        """A line for each name that several plugins claim: who has it, and how to pick the other."""
        lines = []
        for kind in KINDS:
            for name in self.names(kind):
                claims = [e for e in self.of(kind) if e.name == name]
                first, *level = _foremost(claims)
                for other in (e for e in claims if e is not first):
                    here, there = (f"{e.provenance.provider}:{name} ({e.provenance.source})" for e in (other, first))
                    rule = f"pick one by {name}'s prefix" if level else f"{name} alone means the latter"
                    lines.append(f"{kind} '{name}' is claimed by {here} and by {there}; {rule}")
        return lines

    def get(self, kind: str, name: str) -> Any:
        """The record of `find`."""
        return self.find(kind, name).record

    def component(self, name: str) -> Registered:
        """A loss, regularizer or augmentation, whichever has this name."""
        for kind in ("loss", "regularizer", "augmentation"):
            if name.rpartition(":")[2].removeprefix(f"{kind}/") in self.names(kind):
                return self.find(kind, name)
        names = [n for kind in ("loss", "regularizer", "augmentation") for n in self.names(kind)]
        raise UsageError(f"no component {short(name)}; {nearest(name, names)}{self._broken_hint()}")

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
    registry = Registry()
    behind = find_sources(asked, directories, lambda where, why: registry.broken.append(Broken(where, why)))
    sources = behind if only is None else [source for source in behind if source.module in only]
    foreign = [] if only is not None else [source for source in sources if not source.trusted]  # planning tried these
    verdicts = probe.verdicts(foreign)
    for source in sources:  # before anything is imported, which may take seconds
        if source.asked and source.module in verdicts and (why := verdicts[source.module].reason):
            raise UsageError(f"plugin {source.label}: {why}")
    left_out: set[str] = set()
    for source in sources:
        if source.module.rpartition(".")[0] in left_out:  # one warning for a package whose __init__ fails
            left_out.add(source.module)
            continue
        reason = verdicts[source.module].reason if source.module in verdicts else None
        found: list[Registered] = []
        if reason is None:
            try:
                with contextlib.nullcontext() if source.trusted else undisturbed():
                    found = register(source)
            except (Exception, SystemExit) as error:
                reason = one_line(error, source)
        if reason is None and not found and source.asked and len(source.files) == 1:  # of a package, some only help
            reason = "registers nothing: it needs a function marked @hookimpl, such as ganbench_losses"
        if reason is not None:
            if source.asked or only is not None:
                raise UsageError(f"plugin {source.label}: {reason}")
            registry.broken.append(Broken(source.label, reason))
            left_out.add(source.module)
            continue
        if only is not None and found and found[0].provenance.sha256 != only[source.module]:
            raise UsageError(
                f"plugin {source.module} is not the one this run was planned with (its files have changed); "
                "plan again with ganbench run, or give the old version"
            )
        registry.entries += found
    if only is not None and (missing := set(only) - {e.provenance.module for e in registry.entries}):
        here = [(s.module, s.label, functools.partial(files_hash, s.files)) for s in behind]
        raise UsageError("; ".join(absent(module, only[module], here) for module in sorted(missing)))
    return registry


def absent(module: str, recorded: str, here: Iterable[tuple[str, str, Callable[[], str]]]) -> str:
    """That a run's module is not here, or that its file is and was edited, which gave it another name. recorded: the
    hash of its code. here: modules, what a message calls each, and what gives its hash."""
    for other, label, sha256 in here:
        if name := edited(module, other):
            hashes = f"sha256 {sha256()[:12]}… here, {recorded[:12]}… recorded"
            mend = "give the file as it was then with -p, or train anew with this one (ganbench run)"
            return f"plugin {name}: the code of {label} differs from the run's ({hashes}); {mend}"
    return f"plugin {module} is not installed here; install it, or give its file with -p"


def _foremost(entries: Iterable[Registered]) -> list[Registered]:
    """Those of the highest rank."""
    claims = list(entries)
    highest = max((e.provenance.rank for e in claims), default=0)
    return [e for e in claims if e.provenance.rank == highest]


def register(source: Source) -> list[Registered]:
    """Import one module, call its hooks and hold what they yield to the contract; raises whatever goes wrong.

    Each has a manager of its own: in a shared one, a plugin that fails stays and breaks the next.
    """
    module = source.load()
    check_version(vars(module).get("ganbench_api"))
    manager = pluggy.PluginManager("ganbench")
    manager.add_hookspecs(hookspecs)
    hooks = {name: value for name, value in vars(module).items() if _is_hook(name, value)}
    known = {hook for hook, _ in KINDS.values()}
    for name, function in hooks.items():
        if name not in known:
            raise HookError(f"unknown hook {name}; {nearest(name, known)}", function)
        if inspect.signature(function).parameters:
            raise HookError(f"hook {name} must take no arguments", function)
    for name in known - set(hooks):
        if inspect.isfunction(function := vars(module).get(name)):
            raise HookError(f"{name} lacks the line @hookimpl above it", function)
    manager.register(module, source.module)
    manager.check_pending()
    if not hooks:  # a module that others import, whose code is hashed with theirs
        return []
    provenance = _provenance(module, source)
    found: list[Registered] = []
    for kind, (hook, expected) in KINDS.items():
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            for record in records(kind, expected, implementation.function):
                found.append(Registered(kind, record.name, record, provenance))
    return found


def _is_hook(name: str, value: Any) -> bool:
    return name.startswith("ganbench_") and hasattr(value, "ganbench_impl")


def _provenance(module: ModuleType, source: Source) -> Provenance:
    return Provenance(
        module=source.module,
        provider=source.provider,
        distribution=source.distribution,
        version=_release(source.distribution) if source.distribution else None,
        sha256=code_hash(module),
        asked=source.asked,
        source=source.label,
        door=source.door,
    )


@functools.cache
def _release(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def one_line(error: BaseException, source: Source) -> str:
    """The error, with the file and line that it came from: the plugin's own if it is on the way, else the innermost."""
    where, said = "", str(error)
    if isinstance(error, SyntaxError) and error.filename:
        where, said = f"{Path(error.filename).name}, line {error.lineno}: ", error.msg
    elif isinstance(error, HookError) and error.line:
        where = f"{Path(error.file or source.label).name}, line {error.line}: "
    else:
        here = str(Path(__file__).parent)
        frames = [
            f
            for f in traceback.extract_tb(error.__traceback__)
            if not f.filename.startswith((here, "<frozen importlib"))
        ]
        files = {str(file) for file in source.files}
        frames = [f for f in frames if f.filename in files] or frames
        if frames:
            where = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}: "
    text = " ".join(f"{type(error).__name__}: {said}".split())
    return f"{where}{text if len(text) <= LONGEST else text[:LONGEST] + '…'}"
