"""Tables at equal spend as words: what each entry's last look by then gave, and where that look lies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ganbench.publish.tables import Field, Table, arrow, headline_words
from ganbench.publish.text import NOTHING, decimals, number, plain
from ganbench.rank import SPENDS, Common, Leaderboard, amount
from ganbench.rank.statistics import MIN_SEEDS

TITLE = "At equal spend"


def equal_tables(board: Leaderboard) -> list[Table]:
    """The tables, each with its entries in the order of their values there."""
    return [_table(board, common) for common in board.equal.tables]


def equal_notes(board: Leaderboard) -> list[str]:
    """What there is to say of equal spend, also where there is no table."""
    return [plain(line) for line in board.equal.captions]


def _table(board: Leaderboard, common: Common) -> Table:
    rows = board.equal.rows[board.equal.rows["spend"] == common.spend]
    seeds = board.equal.seeds[board.equal.seeds["spend"] == common.spend]
    places = decimals([*rows["centre"], *rows["next_value"]])
    fields = [
        Field("Entry", "name", left=True),
        Field(arrow(board.headline, plain(board.headline.name)), "headline", left=True),
        Field("Seeds", "quality", left=True),
        Field("At", "cost"),
        Field("Next look", "cost"),
        Field("End", "cost"),
    ]
    at, end = ([_share(value, common) for value in rows[name]] for name in ("at", "end"))
    later = [f"{_share(row['next'], common)}{_later(row, seeds, places)}" for row in rows.to_dict("records")]
    counts = [str(n) if n else NOTHING for n in rows["n"]]
    words = zip(map(plain, rows["label"]), _values(rows), counts, at, later, end, strict=True)
    title = f"{SPENDS[common.spend]}: {amount(common.amount, common.spend)}"
    return Table(title, fields, {"entries": [list(row) for row in words]}, [])


def _values(rows: pd.DataFrame) -> list[str]:
    return headline_words(rows.assign(degenerate=0), aligned=False)


def _later(row: Mapping[str, Any], seeds: pd.DataFrame, places: int | None) -> str:
    """What the next look gave: each seed's below three, else their mean, as of the one before it."""
    mine = seeds[(seeds["section"] == row["section"]) & (seeds["position"] == row["position"])]
    if math.isnan(row["next_value"]):
        return ""
    told = mine["next_value"] if len(mine) < MIN_SEEDS else [row["next_value"]]
    return f": {' · '.join(number(value, places) for value in told)}"


def _share(value: float, common: Common) -> str:
    return f"{100 * value / common.amount:.0f} %" if math.isfinite(value) else NOTHING
