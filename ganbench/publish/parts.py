"""What stands under a leaderboard as small tables of their own."""

from __future__ import annotations

from dataclasses import dataclass

from ganbench.publish import equal, times
from ganbench.publish.tables import Table
from ganbench.rank import Leaderboard


@dataclass(frozen=True)
class Part:
    """name: one word for labels. notes: what there is to say of its tables, or why there is none."""

    name: str
    title: str
    tables: list[Table]
    notes: list[str]


def parts(board: Leaderboard) -> list[Part]:
    """The parts that have something to say."""
    found = [
        Part("times", times.TITLE, times.time_tables(board), times.time_notes(board)),
        Part("equal", equal.TITLE, equal.equal_tables(board), equal.equal_notes(board)),
    ]
    return [part for part in found if part.tables or part.notes]
