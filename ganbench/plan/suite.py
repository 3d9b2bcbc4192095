"""A suite is data: a TOML file read into frozen values, every key known, every mistake named with its file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ganbench.api import Value
from ganbench.errors import UsageError, nearest, short
from ganbench.own_data.source import Source
from ganbench.plan.levels import check_form
from ganbench.plan.modes import find_mode
from ganbench.plan.own import read_datasets
from ganbench.plan.seeds import MOST_SEEDS, read_seeds
from ganbench.plan.spec import COUNTERS, TEST
from ganbench.plan.spec_fields import MOST_SAMPLES
from ganbench.plan.table import Table, read_table
from ganbench.plan.tuning import read_tuning

TUNED = "tuned"
TABLES = ("reduced", "as published", TUNED)
DIGITS = 18
"""The longest seed on the command line."""


@dataclass(frozen=True)
class EntrySet:
    """Entries as a suite writes them: architectures × losses, or one preset, or one game. where: in words."""

    architectures: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    regularizers: tuple[str, ...] = ()
    augmentations: tuple[str, ...] = ()
    preset: str | None = None
    game: str | None = None
    recipe: Mapping[str, Value] | None = None
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Tier:
    """One size of a suite.

    counter, amount: the primary budget. seeds: training seeds. ranks: whether the table may rank. samples: how many are
    scored. split: what they are measured against (no suite file names it: `"test"`, but for trials of a search).
    looks, look_samples: early looks on the validation split. params: metric -> parameters. offline: the data
    set used where the suite's own is neither here nor reachable. seconds_per_run: measured on one CPU core, for the
    estimate. extra_extractors: further extractors, used where their weights are at hand. table: `"reduced"`, `"as
    published"` or `"tuned"`; tuning: how such a table's recipes were found. modes: each entry is a row in each of them;
    none: the suite's, or the reference.
    """

    name: str
    counter: str
    amount: float
    seeds: tuple[int, ...]
    ranks: bool
    table: str
    note: str
    samples: int
    looks: int
    look_samples: int
    recipe: Mapping[str, Value]
    params: Mapping[str, Mapping[str, Value]]
    offline: str | None
    seconds_per_run: float
    extra_extractors: tuple[str, ...]
    entries: tuple[EntrySet, ...]
    modes: tuple[str, ...] = ()
    split: str = TEST
    tuning: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Suite:
    """A suite: data, measures, tiers.

    datasets: stream -> data set (one stream `A` for most games). sources: stream -> data of the suite's own, which has
    no name in `datasets` before it is read (`ganbench.plan.own.settle`); made: stream -> how it came about, then.
    notices: lines on it for the user. modes: of the tiers that name none.
    """

    name: str
    title: str
    version: int
    seed: int
    datasets: Mapping[str, str]
    extractors: tuple[str, ...]
    metrics: tuple[str, ...]
    headline: str
    scale_rows: tuple[str, ...]
    levels: Mapping[str, Mapping[str, float]]
    tiers: Mapping[str, Tier]
    default_tier: str
    recipe: Mapping[str, Value]
    modes: tuple[str, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    made: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def tier(self, name: str | None) -> Tier:
        """A tier by name; the default one for None."""
        wanted = name or self.default_tier
        if wanted not in self.tiers:
            raise UsageError(f"suite '{self.name}' has no tier '{wanted}'; {nearest(wanted, self.tiers)}")
        return self.tiers[wanted]


def read_suite(file: Path, name: str | None = None) -> Suite:
    """Read a suite file; the name defaults to the file's."""
    table = read_table(file, f"suite file {file}")
    datasets, sources = read_datasets(table.take("dataset", (str, dict)), file)
    recipe = table.take("recipe", dict, {})
    tiers = {k: _tier(k, v, f"suite file {file}, tier '{k}'") for k, v in table.take("tiers", dict).items()}
    if not tiers:
        raise UsageError(f"suite file {file}: has no tier; add a table [tiers.quick]")
    suite = Suite(
        name=name or file.stem,
        title=table.take("title", str, name or file.stem),
        version=table.take("version", int),
        seed=table.take("seed", int, 0),
        datasets=datasets,
        extractors=table.words("extractor"),
        metrics=table.words("metrics"),
        headline=table.take("headline", str),
        scale_rows=table.words("scale", ()),
        levels=table.take("levels", dict, {}),
        tiers=tiers,
        default_tier=table.take("default_tier", str, next(iter(tiers))),
        recipe=recipe,
        modes=_modes(table),
        sources=sources,
    )
    table.done()
    suite.tier(None)
    check_form(suite.levels, f"suite file {file}")
    return suite


def _tier(name: str, value: Any, where: str) -> Tier:
    table = Table(value, where)
    budget = table.take("budget", dict)
    if len(budget) != 1 or next(iter(budget)) not in COUNTERS:
        raise UsageError(
            f"{where}: 'budget' names one of {', '.join(COUNTERS)}, for example {{ real_images = 60_000 }}"
        )
    counter, amount = next(iter(budget.items()))
    if not isinstance(amount, int | float) or isinstance(amount, bool) or not 0 < amount < math.inf:
        raise UsageError(f"{where}: the budget's {counter} must be a positive number, not {short(amount)}")
    looks = Table(table.take("looks", dict, {}), f"{where}, 'looks'")
    tier = Tier(
        name=name,
        counter=counter,
        amount=amount,
        seeds=read_seeds(table.take("seeds", (int, list)), where),
        ranks=table.take("ranks", bool, True),
        table=table.take("table", str, TABLES[0]),
        note=table.take("note", str, ""),
        samples=table.take("samples", int, 10_000),
        looks=looks.take("count", int, 0),
        look_samples=looks.take("samples", int, 1_000),
        recipe=table.take("recipe", dict, {}),
        params=table.take("params", dict, {}),
        offline=table.take("offline", (str, type(None)), None),
        seconds_per_run=float(table.take("seconds_per_run", (int, float), 0.0)),
        extra_extractors=table.words("extra_extractor", ()),
        entries=tuple(_entry(e, f"{where}, entry {i + 1}") for i, e in enumerate(table.take("entries", list))),
        modes=_modes(table),
        tuning=read_tuning(table.take("tuning", (dict, type(None)), None), where),
    )
    looks.done()
    table.done()
    if tier.table not in TABLES:
        raise UsageError(f"{where}: 'table' must be one of {', '.join(TABLES)}, not {short(tier.table)}")
    if (tier.table == TUNED) != (tier.tuning is not None):
        raise UsageError(
            f"{where}: a table is \"{TUNED}\" where the key 'tuning' says how; `ganbench tune` writes both"
        )
    if not tier.entries:
        raise UsageError(f'{where}: \'entries\' is empty; add one, such as {{ architecture = "…", loss = "…" }}')
    counts = (("samples", tier.samples, 1), ("looks.samples", tier.look_samples, 1), ("looks.count", tier.looks, 0))
    for key, count, least in counts:
        if not least <= count <= MOST_SAMPLES:
            bound = f"at least {least}" if count < least else f"at most {MOST_SAMPLES:,}"
            raise UsageError(f"{where}: '{key}' must be {bound}, not {count}")
    for key, params in tier.params.items():
        if not isinstance(params, dict):
            raise UsageError(f"{where}: 'params.{key}' must be a table of the metric's parameters, not {short(params)}")
    return tier


def _entry(value: Any, where: str) -> EntrySet:
    table = Table(value, where)
    entry = EntrySet(
        architectures=table.words("architecture", ()),
        losses=table.words("loss", ()),
        regularizers=table.words("regularizers", ()),
        augmentations=table.words("augmentations", ()),
        preset=table.take("preset", str, None),
        game=table.take("game", str, None),
        recipe=table.take("recipe", dict, {}),
        where=where,
    )
    table.done()
    whole = [w for w in (entry.preset, entry.game) if w]
    if len(whole) + bool(entry.architectures and entry.losses) != 1 or (
        whole and (entry.architectures or entry.losses)
    ):
        raise UsageError(f"{where}: give an architecture and a loss, or a preset, or a game")
    return entry


def _modes(table: Table) -> tuple[str, ...]:
    return tuple(find_mode(name, f"{table.where}: ").name for name in dict.fromkeys(table.words("mode", ())))


def parse_seeds(text: str) -> tuple[int, ...]:
    """`5` is seed 5; `0..4` includes 4; `0,3` is both."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dots, last = part.strip().partition("..")
        if not first.isdecimal() or (dots and not last.isdecimal()) or max(len(first), len(last)) > DIGITS:
            raise UsageError(f"--seeds {text}: expected 5 (seed 5), 0..4 (with 4) or 0,3")
        if dots and int(last) < int(first):
            raise UsageError(f"--seeds {text}: the range runs backwards; did you mean {last}..{first}?")
        if dots and int(last) - int(first) >= MOST_SEEDS:
            raise UsageError(f"--seeds {text}: more than {MOST_SEEDS:,} seeds")
        seeds += range(int(first), int(last) + 1) if dots else [int(first)]
    return tuple(dict.fromkeys(seeds))
