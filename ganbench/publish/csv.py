"""Leaderboards as one long CSV: a line for each row, column of scores and seed, with what the row says of them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import pandas as pd

from ganbench.publish.text import plain
from ganbench.rank import Leaderboard

_PARTS = ["architecture", "loss", "preset", "game", "regularizers", "augmentations"]
_PLACE = ["suite", "tier", "table", "comparability"]
_FIRST = [*_PLACE, "section", "position", "label", "variant", *_PARTS]
_OF_ROW = [*_PARTS, "median", "rank_low", "rank_high", "level", "mode", "role", "conditional", "reason"]
_FORMULA = re.compile(r"""(^|[;|])(\s*["']*\s*[=+\-@＝＋－＠])""")
"""The start of one, in a cell or behind what some spreadsheets take for a separator, quoted or not; `plain` has removed
tabs."""


def render(leaderboards: Iterable[Leaderboard]) -> str:
    """The CSV with its header line; `median`, ranks and level are those of the headline, costs those of the seed."""
    return _written([_long(board) for board in leaderboards])


def render_times(leaderboards: Iterable[Leaderboard]) -> str:
    """Times to quality as a CSV with its header line, a line for each target, row and seed; nothing where no entry has
    early looks. Of what a seed spent until it reached the target `…_after` and the name itself are bounds."""
    return _written([_of_seeds(board, board.times.seeds) for board in leaderboards])


def render_equal(leaderboards: Iterable[Leaderboard]) -> str:
    """What early looks gave at equal spend as a CSV with its header line, a line for each table, row and seed; nothing
    where there is no such table."""
    return _written([_of_seeds(board, board.equal.seeds) for board in leaderboards])


def _of_seeds(board: Leaderboard, frame: pd.DataFrame) -> pd.DataFrame:
    seeds = frame.replace([math.inf], math.nan)
    seeds[_PLACE] = [*(board.suite[key] for key in ("id", "tier", "table")), board.comparability]
    return seeds[[*_PLACE, *(column for column in seeds.columns if column not in _PLACE)]]


def _written(found: list[pd.DataFrame]) -> str:
    frames = [frame for frame in found if len(frame)]
    if not frames:
        return ""
    long = pd.concat(frames, ignore_index=True)
    for column in long.columns:
        if not pd.api.types.is_numeric_dtype(long[column]):
            long[column] = [_cell(value) for value in long[column]]
    return str(long.to_csv(index=False, lineterminator="\n"))


def _long(board: Leaderboard) -> pd.DataFrame:
    place = ["section", "position"]
    long = board.scores.drop(columns="parts").merge(board.frame[[*place, *_OF_ROW]], on=place, how="left")
    long[["rank_low", "rank_high"]] = long[["rank_low", "rank_high"]].astype("Int64")
    for name in ("regularizers", "augmentations"):
        long[name] = long[name].map(" + ".join)
    for name, value in zip(_FIRST, ("id", "tier", "table"), strict=False):
        long[name] = board.suite[value]
    long["comparability"] = board.comparability
    return long[[*_FIRST, *(column for column in long.columns if column not in _FIRST)]]


def _cell(value: object) -> object:
    """Text of which no spreadsheet takes any part for a formula."""
    return _FORMULA.sub(r"\1'\2", plain(value)) if isinstance(value, str) else value
