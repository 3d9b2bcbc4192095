"""Leaderboards as GitHub Markdown; nothing that a record says can become markup, formula, link, mention or emoji.

GitHub decodes entities before it looks for e-mail addresses, mentions and emoji, so that an entity hides none of them.
What it looks for is parted by a space of no width, which no pattern of theirs has. References to issues and commits it
makes in conversations alone, not in the files of a repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ganbench.publish.parts import Part, parts
from ganbench.publish.tables import Table, table
from ganbench.publish.text import plain
from ganbench.rank import Leaderboard

_PARTED = "&#8203;"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "`": "&#96;", "$": "<span>&#36;</span>"}
"""The span about a dollar is GitHub's documented way to keep it from opening a formula."""
_MARKUP = re.compile(r"([\\*_\[\]~#!])")
_OPENING = re.compile(r"^(\d*)([-+.)])(?=\s|-|$)")
"""What would begin a list, or rule a line."""
_LINKS = re.compile(r"(?i)(@|\bwww(?=\.)|:(?=//|[\w+\\-]+:))")


def escape(text: object) -> str:
    """Text that GitHub shows as it stands."""
    bare = _OPENING.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", plain(text)))
    parted = _LINKS.sub("\\1\0", bare)
    return "".join(_PARTED if ch == "\0" else _ENTITIES.get(ch, ch) for ch in parted)


def render(leaderboards: Iterable[Leaderboard], level: int = 2) -> str:
    """One section a table: heading, table, notes, captions, rows of the scale, parts. level: of the headings."""
    return "\n".join(
        _board(table(board), level) + "".join(_part(part, level + 1) for part in parts(board)) for board in leaderboards
    )


def _board(words: Table, level: int) -> str:
    lines = [f"{'#' * level} {escape(words.title)}", ""]
    main = {name: rows for name, rows in words.sections.items() if name != "scale"}
    lines += grid(words, [row for rows in main.values() for row in rows]) if main else []
    lines += _list([*words.captions, *words.notes])
    if "scale" in words.sections:
        lines += [f"{'#' * (level + 1)} Rows that give the scale", ""]
        scale = words.only(lambda column: column.part in ("headline", "score") or column.title == "Entry")
        lines += grid(scale, scale.sections["scale"])
    return "\n".join(lines)


def _part(part: Part, level: int) -> str:
    lines = ["", f"{'#' * level} {part.title}", ""]
    for words in part.tables:
        lines += [escape(words.title), "", *grid(words, words.sections["entries"])]
    return "\n".join([*lines, *_list(part.notes)])


def grid(words: Table, rows: list[list[str]]) -> list[str]:
    """The lines of a table with these rows, and an empty one."""
    head = [escape(column.title) for column in words.fields]
    rule = [":--" if column.left else "--:" for column in words.fields]
    return [table_line(head), table_line(rule), *(table_line([escape(cell) for cell in row]) for row in rows), ""]


def table_line(cells: list[str]) -> str:
    """The line of a table whose cells are escaped."""
    return f"| {' | '.join(cells)} |"


def _list(lines: list[str]) -> list[str]:
    return [*(f"- {escape(line)}" for line in lines), ""] if lines else []
