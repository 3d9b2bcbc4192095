"""The columns that metrics fill under extractors: their names, and which of them a suite may have."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ganbench.errors import UsageError, nearest, short
from ganbench.plan.suite import Suite, Tier
from ganbench.plugins import Registered, Registry


def column_name(column: str, extractor: Mapping[str, Any] | None) -> str:
    """`fd` → `FID` where the weights are those the name stands for, else `fd/mnist-cnn`."""
    if extractor is None:
        return column
    return str(extractor["public"].get(column, f"{column}/{extractor['shown']}"))


def columns(extractors: Sequence[Mapping[str, Any]], metrics: Sequence[Registered]) -> list[str]:
    """The table's columns in order. extractors: as in `RunSpec.score`. Two metrics with one column are an error."""
    owners: dict[str, str] = {}
    found: dict[str, None] = {}
    each: list[Mapping[str, Any] | None] = [*extractors] or [None]
    for extractor in each:
        for registered in metrics:
            for own, name in _columns_of(registered, extractor).items():
                for word in (own, name):
                    if owners.setdefault(word, registered.name) != registered.name:
                        raise UsageError(
                            f"metrics '{owners[word]}' and '{registered.name}' both have a column '{word}': leave one "
                            "out, or rename the column in its plugin"
                        )
                found[name] = None
    if not found:
        raise UsageError("nothing to measure: the chosen metrics need a layer that the chosen extractors do not give")
    return list(found)


def _columns_of(registered: Registered, extractor: Mapping[str, Any] | None) -> dict[str, str]:
    """A metric's own name of each column -> the table's; nothing where the extractor lacks what it needs."""
    uses = {"features", "logits"} & set(registered.record.needs)
    if uses and (extractor is None or ("logits" in uses and extractor["logits"] is None)):
        return {}
    return {c.name: column_name(c.name, extractor if uses else None) for c in registered.record.columns}


def possible(suite: Suite, registry: Registry) -> set[str] | None:
    """Every column that the suite's own metrics may fill under its own extractors, whatever weights these have; None
    where some of them are not here (others were chosen)."""
    plans: list[dict[str, Any] | None] = []
    words = (*suite.extractors, *(e for tier in suite.tiers.values() for e in tier.extra_extractors))
    try:
        for word in words:
            name, layer, _ = parse_extractor(word)
            registered = registry.find("extractor", name)
            plans += [plan_of(registered, layer, official) for official in (True, False)]
        metrics = [registry.find("metric", name) for name in suite.metrics]
    except UsageError:
        return None
    return {name for plan in plans or [None] for metric in metrics for name in _columns_of(metric, plan).values()}


def measuring(suite: Suite, tier: Tier, registry: Registry, column: str) -> tuple[str, str | None]:
    """The suite's metric that fills a column, and the extractor under which it does, as the suite writes it."""
    for metric in (registry.find("metric", name) for name in suite.metrics):
        for word in (*suite.extractors, *tier.extra_extractors):
            name, layer, _ = parse_extractor(word)
            registered = registry.find("extractor", name)
            plans = [plan_of(registered, layer, official) for official in (True, False)]
            if any(column in _columns_of(metric, plan).values() for plan in plans):
                return metric.name, word
        if column in _columns_of(metric, None).values():
            return metric.name, None
    raise UsageError(f"suite '{suite.name}': none of its metrics fills the column '{column}'")


def check_headline(suite: Suite, names: Collection[str]) -> None:
    """Refuse a headline that is none of the columns which the suite may have. names: these, as `possible` has them."""
    if suite.headline not in names:
        said, asked = nearest(suite.headline, names), short(suite.headline)
        raise UsageError(f"suite '{suite.name}': 'headline' must be one of its columns, not {asked}; {said}")


def parse_extractor(text: str) -> tuple[str, str, str]:
    """`NAME[@LAYER][=FILE]` → name, layer, file; `""` for what is not there."""
    head, _, file = text.partition("=")
    name, _, layer = head.partition("@")
    return name, layer, file


def plan_of(registered: Registered, layer: str, official: bool) -> dict[str, Any]:
    """How an extractor names its columns. layer: `""` for its default. official: whether its weights are those."""
    extractor = registered.record
    features = layer or extractor.features
    default = features == extractor.features
    return {
        "name": registered.name,
        "shown": registered.name if default else f"{registered.name}-{features}",
        "features": features,
        "logits": extractor.logits if default else None,
        "public": dict(extractor.names) if official and default else {},
    }
