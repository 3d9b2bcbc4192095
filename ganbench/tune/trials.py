"""The trials of a search as a plan: each is a run as `ganbench run --set KEY=VALUE …` has it, with seeds of its own,
measured by the headline alone and on the split that may choose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ganbench.api import Value
from ganbench.errors import UsageError
from ganbench.plan.build import Plan, plan, unique
from ganbench.plan.columns import measuring
from ganbench.plan.data import Data
from ganbench.plan.entries import SET, Wishes
from ganbench.plan.scoring import Choice
from ganbench.plan.spec import VAL, RunSpec
from ganbench.plan.suite import TABLES, Suite, Tier
from ganbench.plan.tuning import Space
from ganbench.plugins import Registry

NOTE = "Trials of a search over recipes."


@dataclass(frozen=True)
class Trial:
    """An entry with one recipe. settings: what was drawn, as far as the entry has these keys. runs: one a seed."""

    settings: Mapping[str, Value]
    runs: tuple[RunSpec, ...]


@dataclass(frozen=True)
class Trials:
    """plan: every trial's runs. entries: the trials of each entry, its own recipe first; of one that is skipped with
    it, that one alone."""

    plan: Plan
    entries: tuple[tuple[Trial, ...], ...]


def plan_trials(
    suite: Suite,
    tier: Tier,
    space: Space,
    registry: Registry,
    data: Data,
    *,
    device: str,
    wishes: Wishes,
    asked: Mapping[str, Any],
) -> Trials:
    """Every entry that the suite and the wishes name, with every trial of the space."""
    settings = [{**wishes.settings, **drawn} for drawn in space.draw(suite.seed)]
    trying = _trying(tier, space, wishes, suite)
    suite, choice = replace(suite, scale_rows=(), levels={}), Choice(*_measured(suite, tier, registry))
    plans = [
        plan(
            suite,
            trying,
            registry,
            data,
            device=device,
            wishes=replace(wishes, settings=each),
            choice=choice,
            asked=asked,
        )
        for each in settings
    ]
    if not any(runs[0].skip is None for runs in plans[0].entries):
        raise UsageError(f"tier '{tier.name}': every entry that is asked for is skipped: {plans[0].entries[0][0].skip}")
    first = plans[0]
    entries = tuple(tuple(_tried(space, each)) for each in zip(*(p.entries for p in plans), strict=True))
    tried = {run.run_id for trials in entries for trial in trials for run in trial.runs}
    runs = unique(run for each in plans for run in each.runs if run.run_id in tried)
    notices = tuple(dict.fromkeys(notice for each in plans for notice in each.notices))
    return Trials(Plan(first.suite_id, tuple(runs), notices, first.weights), entries)


def _trying(tier: Tier, space: Space, wishes: Wishes, suite: Suite) -> Tier:
    """The tier as its trials run it."""
    if twice := sorted(set(space.seeds) & set(tier.seeds)):
        raise UsageError(
            f"seed {twice[0]} is one of tier '{tier.name}', which trains what is found with fresh ones: give the "
            "search space other 'seeds'"
        )
    modes = wishes.modes or tier.modes or suite.modes
    if len(modes) > 1:
        raise UsageError(f"a search is in one mode, and there are {', '.join(modes)}: say which with --mode")
    return replace(
        tier,
        name=f"{tier.name}-tuning",
        seeds=space.seeds,
        ranks=False,
        table=TABLES[0],
        tuning=None,
        note=NOTE,
        looks=0,
        split=VAL,
        extra_extractors=(),
    )


def _measured(suite: Suite, tier: Tier, registry: Registry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The extractors and the metrics that the headline needs."""
    metric, extractor = measuring(suite, tier, registry, suite.headline)
    return () if extractor is None else (extractor,), (metric,)


def _tried(space: Space, runs: tuple[tuple[RunSpec, ...], ...]) -> Iterator[Trial]:
    """The different trials among those of one entry: keys that it does not have make none."""
    seen: set[str] = set()
    for each in runs:
        if each[0].run_id not in seen and (each[0].skip is None or not seen):
            seen.add(each[0].run_id)
            recipe = each[0].recipe
            drawn = {k: recipe[k]["value"] for k in space.keys if k in recipe and recipe[k]["origin"] == SET}
            yield Trial(drawn, each)
