"""From what plugins registered to descriptions of it."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.api import SuiteFile
from ganbench.errors import UsageError
from ganbench.index.description import Description
from ganbench.index.fingerprint import content
from ganbench.plan.suite import Suite, read_suite
from ganbench.plugins import Registered, Registry


def describe(registry: Registry) -> Registry:
    """The same registry with a `Description` in place of each record."""
    entries = [dataclasses.replace(entry, record=_described(entry)) for entry in registry.entries]
    return Registry(entries, list(registry.broken))


def _described(found: Registered) -> Description:
    """One that cannot be described says why, and spoils no other."""
    record, name = found.record, found.name
    about = _about(found)
    first = about.partition("\n")[0]
    try:
        if isinstance(record, SuiteFile):
            file, sha256 = record.file, content(record.file)
            try:
                suite = read_suite(file, name)
            except UsageError as error:
                return Description(name, None, f"broken: {error}", about, {}, file, sha256, broken=str(error))
            return Description(name, None, suite.title, about, _suite(suite), file, sha256)
        declared = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
        fields = {k: _plain(v) for k, v in declared.items() if not callable(v) and k not in ("name", "paper")}
        paper = declared.get("paper")
        return Description(name, paper if paper is None else str(paper), first, about, fields)
    except Exception as error:  # what a record holds is the plugin's, and so is what its `__str__` does
        why = f"{found.kind} '{name}' cannot be described: {type(error).__name__}"
        return Description(name, None, first, about, {}, broken=why)


def _about(found: Registered) -> str:
    words = getattr(sys.modules.get(found.provenance.module), "__doc__", None)
    return words.strip() if isinstance(words, str) else ""


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
        "sources": _plain(suite.sources),
        "extractors": list(suite.extractors),
        "metrics": list(suite.metrics),
        "headline": suite.headline,
        "scale": list(suite.scale_rows),
        "default_tier": suite.default_tier,
        "tiers": tiers,
    }


def _plain(value: Any) -> Any:
    """What JSON can hold, the same after a way through a file."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return {k: _plain(v) for k, v in named.items() if not callable(v)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Path):
        return value.name
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
