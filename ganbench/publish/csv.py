"""Leaderboards as one long CSV: a line for each row, column of scores and seed, with what the row says of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from ganbench.publish.text import plain
from ganbench.rank import Leaderboard

_PARTS = ["architecture", "loss", "preset", "game", "regularizers", "augmentations"]
_FIRST = ["suite", "tier", "table", "comparability", "section", "position", "label", "variant", *_PARTS]
_OF_ROW = [*_PARTS, "median", "rank_low", "rank_high", "level", "mode", "role", "conditional", "reason"]
_FORMULA = re.compile(r"""(^|[;|])(\s*["']*\s*[=+\-@＝＋－＠])""")
"""The start of one, in a cell or behind what some spreadsheets take for a separator, quoted or not; `plain` has removed
tabs."""


def render(leaderboards: Iterable[Leaderboard]) -> str:
    """The CSV with its header line; `median`, ranks and level are those of the headline, costs those of the seed."""
    frames = [_long(board) for board in leaderboards]
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
