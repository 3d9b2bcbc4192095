"""What plugins declare, as plain values for a page or for JSON."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.api import SuiteFile
from ganbench.errors import UsageError, nearest
from ganbench.plan.suite import Suite, read_suite
from ganbench.plugins import KINDS, Registered, Registry


def kind_of(word: str) -> str:
    """A kind, also in the plural."""
    words = {kind: kind for kind in KINDS} | {hook.removeprefix("ganbench_"): kind for kind, (hook, _) in KINDS.items()}
    if word not in words:
        raise UsageError(f"no kind '{word}'; {nearest(word, KINDS)}")
    return words[word]


def find(registry: Registry, name: str) -> Registered:
    """By `name`, `kind/name` or `provider:name`; a bare name must be of one kind only."""
    kind, slash, _ = name.rpartition(":")[2].partition("/")
    if slash:
        return registry.find(kind_of(kind), name)
    bare = name.rpartition(":")[2]
    kinds = [kind for kind in KINDS if bare in registry.names(kind)]
    if len(kinds) > 1:
        choices = ", ".join(f"{kind}/{bare}" for kind in kinds)
        raise UsageError(f"'{bare}' is the name of several things; pick one: {choices}")
    if not kinds:
        everything = {entry.name for entry in registry.entries}
        raise UsageError(f"nothing is called '{name}'; {nearest(bare, everything)}")
    return registry.find(kinds[0], name)


def summary(found: Registered) -> dict[str, Any]:
    """One line's worth."""
    return {
        "kind": found.kind,
        "name": found.name,
        "provider": found.provenance.provider,
        "distribution": found.provenance.distribution,
        "version": found.provenance.version,
        "paper": getattr(found.record, "paper", None),
        "summary": _suite_title(found.record) or _about(found).partition("\n")[0],
    }


def details(found: Registered) -> dict[str, Any]:
    """Everything: the declared fields (functions left out), where it comes from, the module's own words (`about`)."""
    record = found.record
    declared = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    fields = {k: _plain(v) for k, v in declared.items() if not callable(v) and k not in ("name", "file")}
    if isinstance(record, SuiteFile):
        fields |= _suite(read_suite(record.file, found.name))
    source = {"module": found.provenance.module, "sha256": found.provenance.sha256}
    return {**summary(found), **fields, **source, "about": _about(found)}


def _suite(suite: Suite) -> dict[str, Any]:
    tiers = {
        name: {
            "budget": {tier.counter: tier.amount},
            "seeds": list(tier.seeds),
            "table": tier.table,
            "ranks": tier.ranks,
            "note": tier.note,
        }
        for name, tier in suite.tiers.items()
    }
    return {
        "title": suite.title,
        "suite_version": suite.version,
        "datasets": dict(suite.datasets),
        "extractors": list(suite.extractors),
        "metrics": list(suite.metrics),
        "headline": suite.headline,
        "scale": list(suite.scale_rows),
        "default_tier": suite.default_tier,
        "tiers": tiers,
    }


def _suite_title(record: Any) -> str | None:
    if not isinstance(record, SuiteFile):
        return None
    try:
        return read_suite(record.file, record.name).title
    except UsageError as error:
        return f"broken: {error}"


def _about(found: Registered) -> str:
    return (getattr(sys.modules.get(found.provenance.module), "__doc__", None) or "").strip()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {k: _plain(v) for k, v in named.items() if not callable(v)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Path):
        return value.name
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
