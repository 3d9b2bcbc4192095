"""The plan itself: an ordered list of `RunSpec`s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.api import ScaleRow
from ganbench.errors import UsageError
from ganbench.plan.columns import check_headline, possible
from ganbench.plan.data import Data
from ganbench.plan.entries import NO_PARTS, Entry, Wishes, expand
from ganbench.plan.levels import check_names
from ganbench.plan.modes import REFERENCE
from ganbench.plan.scoring import Choice, Scoring, records, scoring, slow
from ganbench.plan.spec import SCALE, TEST, TRAINED, RunSpec
from ganbench.plan.suite import Suite, Tier
from ganbench.plugins import Registered, Registry


@dataclass(frozen=True)
class Plan:
    """Runs in order, notices for the user, and the weights files that scoring was told to use (extractor -> file).

    entries: the runs of each entry, in the suite's order; of one that is skipped a single one. Entries that come to the
    same have their runs in common.
    """

    suite_id: str
    runs: tuple[RunSpec, ...]
    notices: tuple[str, ...]
    weights: Mapping[str, Path]
    entries: tuple[tuple[RunSpec, ...], ...] = ()


def plan(
    suite: Suite,
    tier: Tier,
    registry: Registry,
    data: Data,
    *,
    device: str,
    wishes: Wishes | None = None,
    choice: Choice | None = None,
    seeds: tuple[int, ...] | None = None,
    asked: Mapping[str, Any] | None = None,
) -> Plan:
    """Suite + filters + device kind + data → runs: the scale rows first, then every entry with each seed in turn.

    asked: see `RunSpec`.
    """
    wishes, choice = wishes or Wishes(), choice or Choice()
    first = next(iter(data.streams.values())).dataset
    spec = first.spec
    notices = [*suite.notices, *([data.notice] if data.notice else [])]
    measured = scoring(suite, tier, choice, registry, first, device, notices)
    suite_id = suite_name(suite, tier) + data.suffix
    common: dict[str, Any] = {
        "suite": shown(suite, tier, suite_id, measured),
        "suite_seed": suite.seed,
        "data": {s: {"name": r.registered.name, "split": "train", "sha256": r.sha256} for s, r in data.streams.items()},
        "device": device,
        "threads": 1,
        "score": measured.score,
        "asked": asked or {},
    }
    datasets = [r.registered for r in data.streams.values()]
    rows = [registry.find("scale-row", n) for n in suite.scale_rows]
    if names := possible(suite, registry):
        check_headline(suite, {*names, *measured.columns})
        check_names(suite.levels, f"suite '{suite.name}'", [r.record.role for r in rows], names)
    runs = [_scale(row, datasets, common) for row in rows]
    notices += _small(suite, tier, registry)
    entries = expand(suite, tier, wishes, registry, spec)
    budget = {"counter": tier.counter, "amount": tier.amount}
    wanted = seeds or tier.seeds
    if twice := sorted(set(wanted) & set((tier.tuning or {}).get("seeds", ()))):
        raise UsageError(f"seed {twice[0]} was one of the trials that chose the recipes: take fresh ones, --seeds 0..4")
    made = [
        tuple(_trained(entry, seed, budget, datasets, common) for seed in (wanted[:1] if entry.skip else wanted))
        for entry in entries
    ]
    for turn in zip(*(each for each in made if not each[0].skip), strict=True):
        runs += turn
    runs = unique([*runs, *(each[0] for each in made if each[0].skip)])
    if device == "cpu":
        notices += slow(measured, runs)
    return Plan(suite_id, tuple(runs), tuple(notices), measured.weights, tuple(made))


def unique(runs: Iterable[RunSpec]) -> list[RunSpec]:
    """The first of each id, in their order."""
    found: dict[str, RunSpec] = {}
    for run in runs:
        found.setdefault(run.run_id, run)
    return list(found.values())


def suite_name(suite: Suite, tier: Tier) -> str:
    """A suite's id on its own data."""
    return "-".join(dict.fromkeys((suite.name, tier.name)))


def shown(suite: Suite, tier: Tier, suite_id: str, measured: Scoring) -> dict[str, Any]:
    """The suite as a record has it."""
    return {
        "id": suite_id,
        "name": suite.name,
        "version": suite.version,
        "tier": tier.name,
        "title": suite.title,
        "table": tier.table,
        "ranks": tier.ranks,
        "note": tier.note,
        "headline": measured.headline,
        "columns": measured.columns,
        "budget": {tier.counter: tier.amount},
        "levels": suite.levels,
        **({"split": tier.split} if tier.split != TEST else {}),
        **({"tuning": tier.tuning} if tier.tuning else {}),
        **({"own_data": suite.made} if suite.made else {}),
    }


def _small(suite: Suite, tier: Tier, registry: Registry) -> Iterable[str]:
    """A line for each row of the scale that own data has too few samples for."""
    sizes = suite.made.get(next(iter(suite.datasets)), {}).get("sizes", {})
    for name in suite.scale_rows:
        split = registry.get("scale-row", name).split
        if split and sizes.get(split, tier.samples) < tier.samples:
            yield (
                f"{name} has {sizes[split]:,} samples ({split}), other rows {tier.samples:,}: they share no column; "
                f"say samples = {sizes[split]} in the tier, or make {split} larger"
            )


def _trained(
    entry: Entry, seed: int, budget: Mapping[str, Any], datasets: list[Registered], common: Mapping[str, Any]
) -> RunSpec:
    return RunSpec(
        kind=TRAINED,
        entry=entry.description,
        components=entry.components,
        recipe=entry.recipe,
        seed=seed,
        conditional=entry.conditional,
        budget=budget,
        plugins=records([*entry.plugins, *datasets]),
        skip=entry.skip,
        mode=entry.mode,
        **common,
    )


def _scale(found: Registered, datasets: list[Registered], common: Mapping[str, Any]) -> RunSpec:
    row: ScaleRow = found.record
    return RunSpec(
        kind=SCALE,
        entry={"label": found.name, **NO_PARTS, "scale": found.name, "role": row.role},
        components=(),
        recipe={},
        seed=0,
        conditional=False,
        budget={},
        mode=REFERENCE.name,
        plugins=records([found, *datasets]),
        **common,
    )
