"""Untrusted words and raw numbers made fit for a page: no control characters, few digits."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|\x9b[0-?]*[ -/]*[@-~]")

_PLACE = re.compile(r"(?:[A-Za-z]:)?[/~\\]")

DIGITS = 3
"""Significant digits of a score."""
NOTHING = "–"
"""What stands where there is no value."""


def plain(text: object) -> str:
    """One line of printable text: terminal sequences, control and direction characters taken out."""
    bare = _ANSI.sub("", str(text))
    kept = (" " if ch.isspace() else ch for ch in bare if ch.isspace() or unicodedata.category(ch)[0] != "C")
    return " ".join("".join(kept).split())


def is_place(text: str) -> bool:
    """Whether a text begins as a place on somebody's machine does: at the root, a drive or a home."""
    return _PLACE.match(text) is not None


def without_place(word: str) -> str:
    """A word of a command, with the last name alone of a path that is a place (also behind `KEY=`): what one types
    where that file is at hand. Paths that are relative stay as they are."""
    key, equals, value = word.partition("=")
    if equals and not is_place(key):
        return f"{key}={without_place(value)}"
    return re.split(r"[/\\]", word.rstrip("/\\"))[-1].lstrip("~") if is_place(word) else word


def decimals(values: Iterable[float]) -> int | None:
    """Decimals that give the upper quartile of a column three digits; None where there is no value."""
    sizes = sorted(abs(value) for value in values if math.isfinite(value) and value != 0)
    return _decimals(sizes[3 * len(sizes) // 4]) if sizes else None


def _decimals(size: float) -> int:
    return max(0, DIGITS - 1 - math.floor(math.log10(float(f"{size:.{DIGITS - 1}e}"))))


def number(value: float, places: int | None = None) -> str:
    """A number with that many decimals, or more where fewer than two digits would be left; its own three by default."""
    if not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    places = _decimals(abs(value)) if places is None else places
    if places > 6 or abs(value) >= 1e7:
        return f"{value:.{DIGITS - 1}e}"
    if abs(value) * 10**places < 9.5:
        places = _decimals(abs(value)) - 1
        return f"{value:.1e}" if places > 6 else f"{value:.{places}f}"
    return f"{value:.{places}f}"


def quantity(value: float, units: tuple[str, ...] = ("", " k", " M", " G", " T")) -> str:
    """A large count in thousands, millions, …: 350211 is `350 k`."""
    if not math.isfinite(value):
        return NOTHING
    unit = 0
    while abs(value) >= 999.5 and unit < len(units) - 1:
        value, unit = value / 1000, unit + 1
    shown = f"{value:.0f}" if abs(value) >= 99.5 or value == int(value) else f"{value:.{DIGITS}g}"
    return f"{shown}{units[unit]}"
