"""Which checks a kind of plugin has to pass, and which components a name or a file stands for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ganbench.conformance.checks import Case
from ganbench.errors import UsageError, nearest
from ganbench.plugins import KINDS, Registered, Registry

_TRAINABLE = ("declared", "networks", "terms", "gradients", "randomness", "state", "learning")
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(("loss", "regularizer", "augmentation", "preset", "game"), ("partners", _TRAINABLE)),
    "architecture": ("partners", (*_TRAINABLE[:2], "answers", *_TRAINABLE[2:])),
    "dataset": ("subject", ("datasets",)),
    "extractor": ("subject", ("extractors",)),
    "metric": ("subject", ("metrics",)),
    "scale-row": ("subject", ("scale_rows",)),
    "suite": ("subject", ("suites",)),
}
"""Kind -> the module whose `Subject` is checked, and the modules whose `CHECKS` it has to pass."""


def cases(found: Iterable[Registered], registry: Registry) -> Iterator[Case]:
    """Every check of every component, in order. Nothing is built or trained before a case is run."""
    for registered in found:
        if registered.kind not in FAMILIES:
            continue
        subject_module, families = FAMILIES[registered.kind]
        subject = _module(subject_module).Subject(registered, registry)
        for family in families:
            for check in _module(family).CHECKS:
                yield Case(registered, subject, check)


def _module(name: str) -> Any:
    return importlib.import_module(f"ganbench.conformance.{name}")


def is_file(target: str) -> bool:
    """Whether a target is a plugin file (else it is a name)."""
    return target.endswith(".py") or Path(target).is_file()


def targets(registry: Registry, names: Iterable[str]) -> list[Registered]:
    """What is to be checked: all that a file registers, or all of a name (of several kinds, perhaps).

    names: `NAME`, `KIND/NAME`, `PROVIDER:NAME` or a file that has been loaded.
    """
    found: list[Registered] = []
    for name in names:
        found += registered_by(registry, Path(name)) if is_file(name) else _named(registry, name)
    return list({(e.kind, e.name, e.provenance.module): e for e in found}.values())


def registered_by(registry: Registry, file: Path) -> list[Registered]:
    """All that a plugin file registered; a file that registered nothing is an error."""

    def source(entry: Registered) -> str | None:
        return getattr(sys.modules.get(entry.provenance.module), "__file__", None)

    found = [e for e in registry.entries if (path := source(e)) and Path(path).resolve() == file.resolve()]
    if not found:
        raise UsageError(f"{file} registers nothing: it needs a function marked @hookimpl, such as ganbench_losses")
    return found


def _named(registry: Registry, name: str) -> list[Registered]:
    kind, slash, _ = name.rpartition(":")[2].partition("/")
    if slash:
        if kind not in KINDS:
            raise UsageError(f"no kind '{kind}'; {nearest(kind, KINDS)}")
        return [registry.find(kind, name)]
    bare = name.rpartition(":")[2]
    kinds = [k for k in KINDS if bare in registry.names(k)]
    if not kinds:
        raise UsageError(f"nothing is called '{name}'; {nearest(bare, {e.name for e in registry.entries})}")
    return [registry.find(k, name) for k in kinds]
