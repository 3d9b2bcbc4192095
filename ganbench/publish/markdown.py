"""Leaderboards as GitHub Markdown; nothing that a record says can become markup, a link or a mention."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ganbench.publish.tables import Table, table
from ganbench.publish.text import plain
from ganbench.rank import Leaderboard

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "|": "&#124;", "`": "&#96;", "$": "&#36;"}
_MARKUP = re.compile(r"([\\*_\[\]~#!])")


def escape(text: object) -> str:
    """Text that GitHub shows as it stands."""
    shown = "".join(_ENTITIES.get(ch, ch) for ch in _MARKUP.sub(r"\\\1", plain(text)))
    return re.sub(r"(?i)\bwww\.", "www&#46;", shown.replace("://", "&#58;//"))


def render(leaderboards: Iterable[Leaderboard], level: int = 2) -> str:
    """One section a table: heading, table, notes, captions, rows of the scale. level: of the headings."""
    return "\n".join(_board(table(board), level) for board in leaderboards)


def _board(words: Table, level: int) -> str:
    lines = [f"{'#' * level} {escape(words.title)}", ""]
    main = {name: rows for name, rows in words.sections.items() if name != "scale"}
    lines += _grid(words, [row for rows in main.values() for row in rows]) if main else []
    lines += _list([*words.captions, *words.notes])
    if "scale" in words.sections:
        lines += [f"{'#' * (level + 1)} Rows that give the scale", ""]
        scale = words.only(lambda column: column.part in ("headline", "score") or column.title == "Entry")
        lines += _grid(scale, scale.sections["scale"])
    return "\n".join(lines)


def _grid(words: Table, rows: list[list[str]]) -> list[str]:
    head = [escape(column.title) for column in words.fields]
    rule = [":--" if column.left else "--:" for column in words.fields]
    return [_row(head), _row(rule), *(_row([escape(cell) for cell in row]) for row in rows), ""]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _list(lines: list[str]) -> list[str]:
    return [*(f"- {escape(line)}" for line in lines), ""] if lines else []
