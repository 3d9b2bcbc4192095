"""What a suite measures: extractors with their weights, metrics with their parameters, and the columns they fill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.api import Dataset, Extractor, Value, Weights
from ganbench.errors import Unavailable, UsageError, asking, nearest
from ganbench.plan.columns import columns, parse_extractor, plan_of
from ganbench.plan.recipe import cast
from ganbench.plan.spec import TEST, RunSpec
from ganbench.plan.suite import Suite, Tier
from ganbench.plugins import Registered, Registry

SLOW = 100.0
"""Images per second on a CPU core below which an extractor's time is estimated and said."""


@dataclass(frozen=True)
class Choice:
    """What is measured instead of what the suite says; empty: as the suite has it.

    Each extractor is `NAME[@LAYER][=FILE]`.
    """

    extractors: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scoring:
    """How runs are scored: `RunSpec.score`, the columns and which of them is the headline, the weights files that were
    given (extractor -> file), and the extractors."""

    score: dict[str, Any]
    columns: list[str]
    headline: str
    weights: Mapping[str, Path]
    extractors: tuple[Registered, ...]


def scoring(
    suite: Suite, tier: Tier, choice: Choice, registry: Registry, first: Dataset, device: str, notices: list[str]
) -> Scoring:
    """What a suite measures here against the reference of the data set `first`; what is left out adds a notice."""
    extractors, weights = _extractors(suite, tier, choice, registry, first, device, notices)
    named = (registry.find("metric", m) for m in choice.metrics or suite.metrics)
    metrics = list({m.name: m for m in named}.values())  # one that is named twice is measured once
    params = {}
    for name, given in tier.params.items():
        registered = registry.find("metric", name)
        params[registered.name] = _params(f"suite '{suite.name}', tier '{tier.name}'", registered, given)
    names = columns([e for _, e in extractors], metrics)
    score = {
        "samples": tier.samples,
        "looks": {"count": tier.looks, "samples": tier.look_samples},
        "extractors": [e for _, e in extractors],
        "metrics": [{"name": m.name, "params": {**m.record.params, **params.get(m.name, {})}} for m in metrics],
        "dataset": first.reference or first.name,
        **({"split": tier.split} if tier.split != TEST else {}),
        "plugins": records([r for r, _ in extractors] + metrics + _compared(registry, first, metrics)),
    }
    headline = suite.headline if suite.headline in names else names[0]  # another choice took it away
    return Scoring(score, names, headline, weights, tuple(r for r, _ in extractors))


def _params(where: str, registered: Registered, given: Mapping[str, Value]) -> dict[str, Value]:
    """What a tier says of a metric's parameters, in their types."""
    known: Mapping[str, Value] = registered.record.params
    for key in given:
        if key not in known:
            raise UsageError(f"{where}: metric '{registered.name}' has no parameter '{key}'; {nearest(key, known)}")
    return {k: cast(f"'params.{registered.name}.{k}'", v, known[k], where) for k, v in given.items()}


def slow(measured: Scoring, runs: Iterable[RunSpec]) -> Iterable[str]:
    """A line for each extractor that will take more than a minute or two on a CPU."""
    images = sum(r.score["samples"] * (2 if r.recipe.get("ema_half_life", {}).get("value") else 1) for r in runs)
    for registered in measured.extractors:
        rate = registered.record.images_per_second
        if images / rate > 120 and rate < SLOW:
            yield (
                f"{registered.name} reads about {rate:g} images/s on one CPU core: scoring {images:,} samples takes "
                f"about {images / rate / 3600:.1f} core-hours, and the reference once more; a GPU does it in minutes"
            )


def records(found: Iterable[Registered]) -> tuple[Mapping[str, Any], ...]:
    """The plugins that brought these; a suite's own data is of none."""
    return tuple({r.provenance.module: r.provenance.record() for r in found if r.provenance.module}.values())


def _compared(registry: Registry, dataset: Dataset, metrics: list[Registered]) -> list[Registered]:
    """The data sets that scoring reads: the reference, and that of the training samples if a metric looks at them."""
    names = [dataset.reference or dataset.name]
    if any("training" in m.record.needs for m in metrics):
        names.append(dataset.name)
    return [registry.find("dataset", name) for name in names]


def _extractors(
    suite: Suite, tier: Tier, choice: Choice, registry: Registry, first: Dataset, device: str, notices: list[str]
) -> tuple[list[tuple[Registered, dict[str, Any]]], dict[str, Path]]:
    files: dict[str, Path] = {}
    found: list[tuple[Registered, dict[str, Any]]] = []
    for text in choice.extractors or suite.extractors:
        found.append(_extractor(registry, text, first, files))
    if not choice.extractors and device != "cpu":
        for text in tier.extra_extractors:
            try:
                found.append(_extractor(registry, text, first, files))
            except Unavailable as error:
                notices.append(f"{error}; its columns are left out")
    once = [pair for at, pair in enumerate(found) if pair not in found[:at]]
    return once, files


def _extractor(
    registry: Registry, text: str, first: Dataset, files: dict[str, Path]
) -> tuple[Registered, dict[str, Any]]:
    name, layer, file = parse_extractor(text)
    registered = registry.find("extractor", name)
    extractor: Extractor = registered.record
    if layer and layer not in extractor.layers:
        raise UsageError(f"extractor '{name}' has no layer '{layer}'; there are: {', '.join(extractor.layers)}")
    with asking(f"extractor '{name}', accepts"):
        reason = extractor.accepts.refuses(first.spec)
    if reason:
        fit = [e.name for e in registry.of("extractor") if not e.record.accepts.refuses(first.spec)]
        raise UsageError(
            f"extractor '{name}' {reason}, which is what data set '{first.name}' has; these take it: "
            f"{', '.join(fit) or 'none'}"
        )
    with asking(f"extractor '{name}', weights"):
        weights: Weights = extractor.weights(Path(file) if file else None)
    if file:
        files[registered.name] = weights.file
    return registered, {
        **plan_of(registered, layer, weights.official),
        "weights": weights.sha256,
        "preprocessing": extractor.preprocessing,
    }
