"""Which of two rows is better, in the words of a leaderboard, and why that cannot be said where it cannot.

A verdict is on the headline alone: who compares every column of every pair finds something.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ganbench.rank import statistics
from ganbench.rank.captions import smallest
from ganbench.rank.ranking import costs
from ganbench.rank.rows import Column
from ganbench.rank.sides import Entry, repeated, repetitions
from ganbench.rank.statistics import MIN_SEEDS


def verdict(a: Entry, b: Entry, barriers: Sequence[str], headline: Column, log: bool) -> tuple[str, str]:
    """Which is better ("a", "b" or ""), and that in words. barriers: what keeps them from being ranked. log: how the
    headline is treated."""
    if why := _apart(a, b, barriers) or _repetition(a, b, headline) or _too_little(a, b, headline):
        return "", f"No verdict: {why}."
    table = a.table.pairs if a.table is b.table else []
    at = {id(row): place for place, row in enumerate(a.table.ranked)}
    found = [p for p in table if {p.first, p.second} == {at.get(id(a.row)), at.get(id(b.row))}]
    if found:
        pair, family = found[0], len(table)
        names = {at[id(a.row)]: "a", at[id(b.row)]: "b"}
        spread = statistics.pooled_spread(a.table.costs)
    else:
        both = [costs(e.row, headline, log) for e in (a, b)]
        (pair,), family, names = statistics.compare(both), 1, {0: "a", 1: "b"}
        spread = statistics.pooled_spread(both)
    sizes = (a.row.n, b.row.n) if names[pair.first] == "a" else (b.row.n, a.row.n)
    test = "Welch's t" if pair.test == "welch" else statistics.permutation_words([sizes])
    over = f"after Holm's correction over the {family} pairs of their table" if family > 1 else "this pair alone"
    how = f"{test}, p = {pair.adjusted:.2g}, {over}"
    if pair.better is not None:
        better = names[pair.better]
        return better, f"{better.upper()} is better ({how})."
    power = ""
    if math.isfinite(spread) and spread > 0:
        least = statistics.detectable(spread, min(a.row.n, b.row.n), family)
        power = f" Smallest detectable {smallest(least, log)}, with 80 % power."
    return "", f"Neither is shown to be better ({how}).{power}"


def _apart(a: Entry, b: Entry, barriers: Sequence[str]) -> str:
    """What keeps two rows from being ranked, whatever their seeds say; "" where nothing does."""
    if a.row is b.row:
        return "both are the same row"
    for name, row in (("A", a.row), ("B", b.row)):
        if row.scale:
            return f"{name} is a row of the scale, which no training made"
        if row.kind == "foreign":
            return f"{name} is of another program; on what and for how long it trained is not known here"
        if not row.main:
            return f"{name} has other weights of the same runs, which are neither ranked nor compared"
    if barriers:
        return f"they may not be ranked against each other, for they differ in {', '.join(barriers)}"
    return ""


def _too_little(a: Entry, b: Entry, headline: Column) -> str:
    """Why rows that could be ranked are not; "" where they are."""
    if not (a.table.table.suite["ranks"] and b.table.table.suite["ranks"]):
        return "this tier is too short to tell entries apart"
    if headline.direction == "none":
        return "the headline has no direction"
    for name, row in (("A", a.row), ("B", b.row)):
        if 2 * row.failures > row.n:
            return f"{name} is unranked: more than half of its seeds failed"
        if row.n < MIN_SEEDS:
            return f"{name} has fewer than {MIN_SEEDS} seeds"
    return ""


def _repetition(a: Entry, b: Entry, headline: Column) -> str:
    """What there is to say where both sides have runs of one id; "" where they have none."""
    both = repetitions(a, b, headline.name)
    equal = sum(x == y for x, y in both)
    if not repeated(a, b):
        return ""
    return (
        "both have runs of the same id, which are repetitions and no further seeds; "
        f"{equal} of {len(both)} headlines are equal to the last digit"
    )
