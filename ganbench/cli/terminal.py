"""Lines for a terminal, from words that may come from anywhere."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence

from ganbench.errors import one_line

_SIZE = re.compile("[1-9][0-9]{0,3}")
"""Characters or lines of a page."""


def as_json(value: object) -> str:
    """Indented JSON as people read it; what is not printable is an escape of JSON's own (halves of surrogate pairs, as
    names of files can have them, too, which no stream takes)."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def columns(rows: Iterable[Sequence[object]]) -> str:
    """Rows in aligned columns, two spaces apart; nothing is cut."""
    words = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*words, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in words)


def page_width(default: int = 100) -> int:
    """How wide a page is written that goes to no terminal: as the variable `COLUMNS` says, 20 to 9999, else the
    default."""
    said = os.environ.get("COLUMNS", "")
    return max(20, int(said)) if _SIZE.fullmatch(said) else default


def forget_odd_sizes() -> None:
    """Take `COLUMNS` and `LINES` out of the environment where they say no size that a page can have, such as 0 or ²:
    rich, which draws help and progress, would write nothing, or end the program."""
    for name in ("COLUMNS", "LINES"):
        if not _SIZE.fullmatch(os.environ.get(name, "")):
            os.environ.pop(name, None)


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def count(number: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number} {noun}{'s' * (number != 1)}"
