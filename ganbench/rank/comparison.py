"""Two rows side by side: in what they differ, whether they may be compared, and what their seeds say of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import UsageError, one_line
from ganbench.rank import identity, statistics
from ganbench.rank.frames import costs_of, estimate_of, median_of
from ganbench.rank.identity import Difference
from ganbench.rank.rows import Column, Row
from ganbench.rank.sides import Entry, matched, repeated, repetitions, sides
from ganbench.rank.statistics import Estimate
from ganbench.rank.verdict import verdict

CLOCKS = ("images_per_second", "seconds")
"""Costs that compare on one machine only."""


@dataclass(frozen=True)
class Values:
    """One row in one column: each seed's value (NaN where a seed failed or was not measured), n of them, and their mean
    with its interval as the leaderboard has it."""

    each: tuple[float, ...]
    n: int
    mean: Estimate


@dataclass(frozen=True)
class Compared:
    """One column of both. change: the ratio A / B (log) or the difference A - B of their means; without a centre where
    `apart` says why the two are not compared."""

    column: Column
    a: Values
    b: Values
    log: bool
    change: Estimate
    apart: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two rows.

    differs: in what decides scores, but for the seeds. beside: in machine and versions. barriers: what keeps them from
    being ranked against each other, by the protocol. columns: headline first. costs: name -> medians over seeds (NaN
    where not known or not comparable). repeated: whether both have runs of one and the same id. better: "a", "b" or "";
    verdict: the same in words, with the reason.
    """

    a: Entry
    b: Entry
    differs: tuple[Difference, ...]
    beside: tuple[Difference, ...]
    barriers: tuple[str, ...]
    columns: tuple[Compared, ...]
    costs: dict[str, tuple[float, float]]
    repeated: bool
    better: str
    verdict: str


@dataclass(frozen=True)
class Comparisons:
    """pairs: of rows that are the same entry on both sides, or that were named. only_a, only_b: labels of the others,
    rows of the scale aside."""

    pairs: tuple[Comparison, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def comparisons(a: str, b: str, within: Sequence[str | Path], entry: str | None = None) -> Comparisons:
    """Compare two entries. a, b: a folder (of one run, or of many), or the name of an entry under the folders `within`.

    Folders with several entries are compared entry by entry: those of one key, then of one label. entry: only this one
    of them. Names are labels, or their words with dashes between, as folders have them, or the beginning of one alone.
    """
    left, right = sides(a, b, within, entry)
    if len(left) == len(right) == 1:
        return Comparisons((compare(left[0], right[0]),), (), ())
    pairs, mine, theirs = matched(left, right)
    if not pairs:
        names = [", ".join(sorted({one_line(e.row.label)[:60] for e in side})[:5]) for side in (left, right)]
        has = f"{a} has {names[0]}; {b} has {names[1]}"
        raise UsageError(f"no entry is in both: {has}. Name two of them, with --in for each folder")
    if min(len(left), len(right)) == 1:  # one entry, looked for in many
        mine, theirs = [], []
    only = [tuple(e.row.label for e in rest) for rest in (mine, theirs)]
    return Comparisons(tuple(compare(*pair) for pair in pairs), only[0], only[1])


def compare(a: Entry, b: Entry) -> Comparison:
    """Compare two rows."""
    facts = [identity.identity(entry.row, entry.table.headline) for entry in (a, b)]
    places = [identity.surroundings(entry.row) for entry in (a, b)]
    differs = tuple(identity.differences(*facts))
    barriers = tuple(_barriers(a, b, differs))
    columns = tuple(_columns(a, b, barriers))
    better, words = verdict(a, b, barriers, columns[0].column, columns[0].log)
    return Comparison(
        a=a,
        b=b,
        differs=differs,
        beside=tuple(identity.differences(*places)),
        barriers=barriers,
        columns=columns,
        costs=_costs(a, b),
        repeated=repeated(a, b),
        better=better,
        verdict=words,
    )


def _barriers(a: Entry, b: Entry, differs: Sequence[Difference]) -> Iterable[str]:
    if a.table is not b.table and _comparability(a) != _comparability(b):
        yield from identity.barriers(differs) or ["comparability of the headline"]


def _comparability(entry: Entry) -> set[str]:
    """With what the headline of a row compares; of a row without one, what its table does."""
    table = entry.table.table
    return {
        str(score["comparability"])
        for seed in entry.row.seeds
        for score in table.scores(seed.record)
        if score["column"] == entry.table.headline.name and score["variant"] == entry.row.variant
    } or {table.comparability}


def _columns(a: Entry, b: Entry, barriers: Sequence[str]) -> Iterable[Compared]:
    theirs = {column.name: column for column in b.table.columns}
    for column in a.table.columns:
        other = theirs.get(column.name)
        if other is None and column is not a.table.headline:
            continue
        found = [*a.row.values(column.name, survivors=True), *b.row.values(column.name, survivors=True)]
        if not found and column is not a.table.headline:
            continue
        log = statistics.on_log(found, column.positive and (other is None or other.positive))
        if column is a.table.headline and a.table is b.table:
            log = a.table.log
        apart = ""
        if barriers:
            apart = "not comparable"
        elif other is None or other.fingerprint != column.fingerprint:
            apart = "measured otherwise"
        elif a.row.failures or b.row.failures:
            apart = "seeds failed"
        change = Estimate(math.nan) if apart else _change(a, b, column.name, log)
        yield Compared(column, _values(a.row, column, log), _values(b.row, column, log), log, change, apart)


def _values(row: Row, column: Column, log: bool) -> Values:
    counted = [seed for seed in row.seeds if seed.counts]
    each = tuple(seed.scores.get(column.name, math.nan) for seed in counted)
    return Values(each, len(row.values(column.name, survivors=True)), estimate_of(row, column, log))


def _change(a: Entry, b: Entry, column: str, log: bool) -> Estimate:
    """Of unpaired seeds; of runs that were repeated each by its own repetition."""
    if not repeated(a, b):
        return statistics.difference(a.row.values(column), b.row.values(column), log)
    return statistics.estimate([x / y if log else x - y for x, y in repetitions(a, b, column)], log)


def _costs(a: Entry, b: Entry) -> dict[str, tuple[float, float]]:
    """Medians over seeds; clocks only where one machine made all of both rows."""
    machines = {(s.record.get("environment") or {}).get("machine") for e in (a, b) for s in e.seeds}
    one = len(machines) == 1 and None not in machines
    both = [[costs_of(seed) for seed in e.seeds] for e in (a, b)]
    names = dict.fromkeys(name for side in both for cost in side for name in cost)
    found = {}
    for name in names:
        if one or name not in CLOCKS:
            values = tuple(median_of(cost[name] for cost in side) for side in both)
            found[name] = (values[0], values[1])
    return found
