"""Lines for a terminal, from words that may come from anywhere."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Sequence


def one_line(text: object) -> str:
    """The text on one line, with what is not printable (terminal sequences, control characters) left out."""
    return "".join(c for c in " ".join(str(text).split()) if c.isprintable())


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
    return max(20, int(said)) if re.fullmatch(r"[1-9][0-9]{0,3}", said) else default


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
