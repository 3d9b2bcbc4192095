"""Leaderboards as JSON: one object a row, null where there is no value."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from ganbench.rank import Leaderboard


def render(leaderboards: Iterable[Leaderboard]) -> str:
    """A list of tables, each with its suite, columns, captions, rows, scores, pairs, early looks, times to quality,
    and what looks gave at equal spend."""
    return json.dumps([_board(board) for board in leaderboards], indent=1, allow_nan=False) + "\n"


def _board(board: Leaderboard) -> dict[str, Any]:
    return {
        "suite": clean(dict(board.suite)),
        "comparability": board.comparability,
        "columns": [{**vars(column), "title": column.title} for column in board.columns],
        "captions": list(board.captions),
        "rows": _records(board.frame),
        "scores": _records(board.scores),
        "pairs": _records(board.pairs),
        "looks": _records(board.looks),
        "times": {
            "targets": [vars(target) for target in board.times.targets],
            "rows": _records(board.times.rows),
            "seeds": _records(board.times.seeds),
            "captions": list(board.times.captions),
        },
        "equal": {
            "tables": [vars(common) for common in board.equal.tables],
            "rows": _records(board.equal.rows),
            "seeds": _records(board.equal.seeds),
            "captions": list(board.equal.captions),
        },
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [clean(line) for line in frame.to_dict("records")]


def clean(value: Any) -> Any:
    """The value as JSON has it: lists for tuples, null for what is not finite or not there."""
    if isinstance(value, dict):
        return {str(key): clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if value is pd.NA:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
