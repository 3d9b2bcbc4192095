"""The rows of one table in their order, and what the pairs of them that have a rank say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganbench.rank import statistics
from ganbench.rank.groups import Group
from ganbench.rank.rows import Column, Row, columns, rows

SECTIONS = ("entries", "unranked", "foreign", "scale", "skipped")


@dataclass(frozen=True, eq=False)
class Ranking:
    """columns: headline first. measured_otherwise: column -> how many values stay out of it. rows: in the order of the
    table. log: whether the headline is treated on the log. ranked: the rows that are compared with each other, with
    their costs (as `statistics` wants them) and pairs.
    """

    table: Group
    columns: Sequence[Column]
    measured_otherwise: Mapping[str, int]
    rows: list[Row]
    log: bool
    ranked: Sequence[Row]
    costs: Sequence[statistics.Floats]
    pairs: Sequence[statistics.Pair]

    @property
    def headline(self) -> Column:
        """The column that orders the rows."""
        return self.columns[0]


def ranking(table: Group) -> Ranking:
    """Order and compare the rows of a table."""
    cols, strange = columns(table)
    headline = cols[0]
    made = rows(table, cols)
    values = [value for row in made if row.section == "entries" for value in row.values(headline.name)]
    log = statistics.on_log(values, headline.positive)
    made.sort(key=lambda row: _order(row, headline))
    _tell_apart(made)
    ranked = [row for row in made if row.main and row.section == "entries" and row.n >= statistics.MIN_SEEDS]
    comparable = table.suite["ranks"] and headline.direction != "none" and len(ranked) > 1
    ranked = ranked if comparable else []
    found = [costs(row, headline, log) for row in ranked]
    return Ranking(table, cols, strange, made, log, ranked, found, statistics.compare(found))


def costs(row: Row, headline: Column, log: bool) -> statistics.Floats:
    """The costs of a row, as `statistics` wants them."""
    signed = row.signed(headline)
    if log:
        signed = [math.log(value) if value > 0 else -math.log(-value) for value in signed]
    return np.array(signed, float)


def _order(row: Row, headline: Column) -> tuple[Any, ...]:
    median = statistics.median_cost(row.signed(headline)) if row.n else math.inf
    failed = row.failures / row.n if row.n else 2.0
    return SECTIONS.index(row.section), median, failed, row.label, row.variant, row.entry["key"]


def _tell_apart(made: list[Row]) -> None:
    """Rows that share a label (recipes that differ, say) get the start of their entry's key behind it."""
    labels = [row.label for row in made]
    for row, label in zip(made, labels, strict=True):
        if labels.count(label) > 1:
            row.label = f"{label} #{row.entry['key'][:6]}"
