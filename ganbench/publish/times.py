"""Time to quality as small tables of words, one for each target that some seed reached."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from ganbench.publish.tables import Field, Table
from ganbench.publish.text import NOTHING, number, plain, quantity
from ganbench.rank import Leaderboard, Target, condition
from ganbench.rank.statistics import MIN_SEEDS

TITLE = "Time to quality"
_FIELDS = [
    Field("Entry", "name", left=True),
    Field("Reached", "quality", left=True),
    Field("Held", "quality", left=True),
    Field("Real images", "cost"),
    Field("G updates", "cost"),
    Field("Train s", "cost"),
]


def time_tables(board: Leaderboard) -> list[Table]:
    """The tables, each with the entries in the leaderboard's order."""
    made = []
    for target in board.times.targets:
        rows, seeds = (_of(frame, target) for frame in (board.times.rows, board.times.seeds))
        if not rows["reached"].any():
            continue
        each = {place: list(mine.to_dict("records")) for place, mine in seeds.groupby(["section", "position"])}
        cells = [_cells(row, each[row["section"], row["position"]]) for row in rows.to_dict("records")]
        used = [at for at in range(len(_FIELDS)) if any(row[at] != NOTHING for row in cells)]
        shown = [[row[at] for at in used] for row in cells]
        made.append(Table(plain(condition(target, board.headline)), [_FIELDS[i] for i in used], {"entries": shown}, []))
    return made


def _of(frame: pd.DataFrame, target: Target) -> pd.DataFrame:
    return frame[(frame["target"] == target.name) & (frame["bound"] == target.bound)]


def time_notes(board: Leaderboard) -> list[str]:
    """What there is to say of time to quality, also where no seed reached anything."""
    return [plain(line) for line in board.times.captions]


def _cells(row: Mapping[str, Any], seeds: Sequence[Mapping[str, Any]]) -> list[str]:
    told = seeds if row["n"] < MIN_SEEDS and row["reached"] else [row]
    spent = [
        " · ".join(_range(one[f"{name}_after"], one[name], words) for one in told)
        for name, words in (("real_images", quantity), ("generator_steps", quantity), ("seconds", _seconds))
    ]
    held = f"{row['held']} of {row['reached']}" if row["reached"] else NOTHING
    return [plain(row["label"]), f"{row['reached']} of {row['n']}", held, *spent]


def _range(after: float, by: float, words: Callable[[float], str]) -> str:
    """What was spent between two looks; nothing where that is not known, or a seed never got there."""
    if not math.isfinite(by):
        return NOTHING
    return f"{words(after)}–{words(by)}" if after > 0 else f"≤ {words(by)}"


def _seconds(value: float) -> str:
    return number(value, 0 if abs(value) >= 100 else None)
