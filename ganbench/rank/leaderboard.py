"""A leaderboard: the rows of one suite that may be compared, ordered, with what their seeds can say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ganbench.rank import statistics
from ganbench.rank.captions import captions
from ganbench.rank.equal import Equal, equal
from ganbench.rank.frames import early_looks, looks_frame, pairs_frame, rows_frame, scores_frame
from ganbench.rank.groups import Group, group
from ganbench.rank.levels import levels
from ganbench.rank.ranking import ranking
from ganbench.rank.records import Record, load_records
from ganbench.rank.rows import Column, Row, roles
from ganbench.rank.seeds import keep
from ganbench.rank.times import Times, check_asked, choose, times


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """One table.

    suite: the suite's fields as records have them (id, name, version, tier, title, table, ranks, note, …).
    columns: the columns of scores, headline first. captions: lines to show under the table.
    frame: one line a row, in the order of the table:
        section (entries, unranked, foreign, scale, skipped), position (1, 2, … within the section), label, variant;
        architecture, loss, preset, game ("": none), regularizers, augmentations (tuples); mode, role, conditional;
        n (seeds that finished), completed (degenerate ones among them), degenerate, diverged,
        missing;
        seeds, statuses, values (tuples, one item a seed that finished; the headline, NaN where there is none);
        centre, low, high (of the headline: geometric mean, or arithmetic where `log` is false; interval from 3 seeds
        without a failure), log, median (failed seeds are the worst; NaN where one of those is the median), rank_low,
        rank_high (NaN: no rank), level, reason; medians over seeds of
        images_per_second, seconds, peak_memory_bytes, parameters_G, parameters_D, histogram_tv, confidence.
    scores: one line a row, column and seed: section, position, label, variant, column, direction, samples, seed,
        status, value (seed is <NA> where it is not known), sampling_error (standard error of scoring so many samples
        of this model; NaN where it is not known), parts (a dict); what this seed cost: images_per_second, seconds,
        peak_memory_bytes, parameters_G, parameters_D; and of the row in this column n, centre, low, high (of seeds
        that did not fail), log.
    pairs: one line a pair of ranked rows (of each entry the variant that is its headline): first, second, test, p,
        holm, rank_check (p), better (a label or "").
    looks: one line an early look of a trained entry's headline variant at the headline, on a split that is not the
        table's: section, position, label, variant, seed, cycle, real_images, seconds (training), value, samples, split.
    times: when early looks first reached a quality (see `Times`).
    equal: what early looks gave at equal generator updates and at equal FLOPs (see `Equal`).
    environments: what the machines were, each once.
    """

    suite: Mapping[str, Any]
    comparability: str
    columns: tuple[Column, ...]
    frame: pd.DataFrame
    scores: pd.DataFrame
    pairs: pd.DataFrame
    looks: pd.DataFrame
    captions: tuple[str, ...]
    times: Times
    equal: Equal
    environments: tuple[Mapping[str, Any], ...] = ()

    @property
    def headline(self) -> Column:
        """The column that orders the rows."""
        return self.columns[0]

    def section(self, name: str) -> pd.DataFrame:
        """The lines of one section of the frame."""
        return self.frame[self.frame["section"] == name]


def leaderboards(
    dirs: Iterable[str | Path], targets: Sequence[str] | None = None, spends: Sequence[str] | None = None
) -> list[Leaderboard]:
    """The leaderboards of every record under these folders, by suite id. targets, spends: as in `from_records`."""
    return from_records(load_records(dirs), targets, spends)


def from_records(
    records: Iterable[Record], targets: Sequence[str] | None = None, spends: Sequence[str] | None = None
) -> list[Leaderboard]:
    """The leaderboards of these records, by suite id; the records in any order give the same tables.

    targets: names of levels, or values of the headline, to which time to quality is wanted; None: every level that
    bounds the headline. A `UsageError` where no table knows one of them. spends: of `updates` and `flops`, those at
    which entries are to be compared; None: both, where that says something.
    """
    kept = keep(records)
    made = [
        _leaderboard(
            table, kept.superseded.get(table.suite["id"], 0), kept.reproduced.get(table.suite["id"], 0), targets, spends
        )
        for table in group(kept.records)
    ]
    if targets:
        check_asked(targets, ((board.headline.name, found) for board, found in made))
    return [board for board, _ in made]


def _leaderboard(
    table: Group, superseded: int, reproduced: int, targets: Sequence[str] | None, spends: Sequence[str] | None
) -> tuple[Leaderboard, list[str]]:
    """A table, and the names of its levels that bound the headline."""
    order = ranking(table)
    headline, made = order.headline, order.rows
    ranks = dict(zip(map(id, order.ranked), statistics.rank_intervals(len(order.ranked), order.pairs), strict=True))
    found = levels(table.suite.get("levels") or {}, roles(made, headline.name), headline.direction == "lower")
    placed = list(zip(made, _positions(made), strict=True))
    looks = early_looks(placed, headline)
    costs = list(order.costs)
    board = Leaderboard(
        suite=table.suite,
        comparability=table.comparability,
        columns=tuple(order.columns),
        frame=rows_frame(placed, headline, order.log, ranks, found),
        scores=scores_frame(placed, order.columns, order.log),
        pairs=pairs_frame(order.ranked, order.pairs),
        looks=looks_frame(looks),
        captions=captions(
            table.suite, order.columns, made, costs, order.log, superseded, reproduced, order.measured_otherwise
        ),
        times=times(placed, looks, headline, choose(targets, found, headline), bool(targets)),
        equal=equal(placed, looks, headline, spends),
        environments=_environments(table.records),
    )
    return board, [level.name for level in found if math.isfinite(level.bound)]


def _positions(made: list[Row]) -> list[int]:
    seen: dict[str, int] = {}
    positions = []
    for row in made:
        seen[row.section] = seen.get(row.section, 0) + 1
        positions.append(seen[row.section])
    return positions


def _environments(records: list[Record]) -> tuple[Mapping[str, Any], ...]:
    found = {repr(sorted(env.items(), key=str)): env for r in records if (env := r.get("environment"))}
    return tuple(found[key] for key in sorted(found))
