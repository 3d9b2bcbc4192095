"""One thing or all things of an index, as plain values for a page or for JSON."""

from __future__ import annotations

from typing import Any

from ganbench.errors import UsageError, nearest
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
        "paper": found.record.paper,
        "summary": found.record.summary,
    }


def details(found: Registered) -> dict[str, Any]:
    """Everything: the declared fields, where it comes from, the module's own words (`about`)."""
    if found.record.broken is not None:
        raise UsageError(found.record.broken)
    source = {"module": found.provenance.module, "sha256": found.provenance.sha256}
    return {**summary(found), **found.record.fields, **source, "about": found.record.about}
