"""Suites: they read, name only what is registered, and every entry fits."""

from __future__ import annotations

from ganbench.conformance.checks import Advice
from ganbench.conformance.subject import Subject
from ganbench.plan.entries import Wishes, expand
from ganbench.plan.own import settle
from ganbench.plan.suite import Suite, read_suite


def _suite(subject: Subject) -> Suite:
    return read_suite(subject.record.file, subject.record.name)


def reads(subject: Subject) -> Advice | None:
    """The file is a suite, and its tiers have entries."""
    _suite(subject)
    return None


def names(subject: Subject) -> Advice | None:
    """Data sets, extractors, metrics and scale rows are registered."""
    suite, registry = _suite(subject), subject.registry
    tiers = suite.tiers.values()
    wanted = {
        "dataset": [
            *(n for s, n in suite.datasets.items() if s not in suite.sources),
            *(t.offline for t in tiers if t.offline),
        ],
        "metric": [*suite.metrics, *(m for t in tiers for m in t.params)],
        "extractor": [*suite.extractors, *(e for t in tiers for e in t.extra_extractors)],
        "scale-row": suite.scale_rows,
    }
    for kind, found in wanted.items():
        for name in found:
            registry.find(kind, name.partition("@")[0].partition("=")[0])
    return None


def entries(subject: Subject) -> Advice | None:
    """Each tier has entries, and all of them fit the data and their parts."""
    suite = settle(_suite(subject))
    spec = subject.registry.get("dataset", next(iter(suite.datasets.values()))).spec
    for tier in suite.tiers.values():
        found = expand(suite, tier, Wishes(), subject.registry, spec)
        if not found:
            return Advice(f"tier {tier.name} has no entries", "name architectures and losses, a preset or a game")
        for entry in found:
            if entry.skip:
                return Advice(f"tier {tier.name}: {entry.description['label']}: {entry.skip}", "leave the entry out")
    return None


CHECKS = (reads, names, entries)
