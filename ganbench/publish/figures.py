"""What a page draws of a leaderboard, as places on axes: the headline of each seed, and its early looks in training."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ganbench.publish.text import number, plain
from ganbench.rank import Leaderboard

STEPS = (1.0, 2.0, 5.0)
"""Of ticks, times a power of ten."""
TICKS = 7
"""Most ticks of an axis."""
MARGIN = 0.04
"""Of an axis beyond its outermost values, as a share of what lies between them."""


@dataclass(frozen=True)
class Axis:
    """A scale from `low` to `high`, linear or logarithmic, with room at its ends."""

    low: float
    high: float
    log: bool

    def place(self, value: float) -> float:
        """Where a value lies, 0 to 1 from end to end; beyond them for values outside."""
        low, high = self._at(self.low), self._at(self.high)
        return MARGIN + (1 - 2 * MARGIN) * (self._at(value) - low) / (high - low)

    def holds(self, value: float) -> bool:
        """Whether a value lies on it."""
        return math.isfinite(value) and (value > 0 or not self.log) and 0 <= self.place(value) <= 1

    def ticks(self) -> list[tuple[float, str]]:
        """Places and words of round values."""
        found = self._on_decades() if self.log else []
        if len(found) < 3:
            step = _step((self.high - self.low) / (TICKS - 1))
            found = [step * at for at in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        return [(self.place(value), _short(value)) for value in found]

    def _on_decades(self) -> list[float]:
        """Round values of each power of ten; powers alone, or some of them, where that gives too many."""
        powers = range(math.floor(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
        found: list[float] = []
        for steps in (STEPS, STEPS[:1]):
            found = [step * 10.0**power for power in powers for step in steps]
            found = [value for value in found if self.low <= value <= self.high]
            if len(found) <= TICKS:
                break
        return found[:: len(found) // (TICKS + 1) + 1]

    def _at(self, value: float) -> float:
        return math.log(value) if self.log else value


@dataclass(frozen=True)
class Dot:
    """One seed's value. words: what it is, for who asks."""

    at: float
    words: str
    failed: bool


@dataclass(frozen=True)
class Strip:
    """One row: its seeds, how many of them finished without a value, and low, centre and high where there is an
    interval."""

    label: str
    dots: list[Dot]
    without: int
    bar: tuple[float, float, float] | None


@dataclass(frozen=True)
class Seeds:
    """The headline of every seed on one axis. marks: rows of the scale that lie on it; beyond: those that do not."""

    title: str
    axis: Axis
    strips: list[Strip]
    marks: list[tuple[float, str]]
    beyond: list[str]


@dataclass(frozen=True)
class Curve:
    """One seed's early looks. entry: which of the figure's labels it belongs to; points: places on both axes."""

    entry: int
    points: list[tuple[float, float]]
    words: str


@dataclass(frozen=True)
class Curves:
    """Early looks against the images seen. entries: labels. marks: targets of time to quality that lie between them.
    caption: what they were measured on."""

    title: str
    across: Axis
    up: Axis
    entries: list[str]
    curves: list[Curve]
    marks: list[tuple[float, str]]
    caption: str


def seeds(board: Leaderboard) -> Seeds | None:
    """The figure of a board's headline; None where fewer than two values could be told apart on it."""
    rows = board.frame[board.frame["section"].isin(["entries", "unranked", "foreign"])].to_dict("records")
    bounds = [row[name] for row in rows for name in ("low", "high")]
    axis = _axis([*bounds, *(value for row in rows for value in row["values"])], _on_log(board))
    if axis is None:
        return None
    scale = [
        (value, f"{plain(row['label'])} {number(value)}")
        for row in board.section("scale").to_dict("records")
        for value in row["values"]
        if math.isfinite(value)
    ]
    return Seeds(
        f"{plain(board.headline.title)} of each training seed",
        axis,
        [_strip(row, axis) for row in rows if row["n"]],
        [(axis.place(value), words) for value, words in scale if axis.holds(value)],
        [words for value, words in scale if not axis.holds(value)],
    )


def curves(board: Leaderboard) -> Curves | None:
    """The figure of a board's early looks; None where there are none."""
    looks = board.looks[board.looks["real_images"].notna()].sort_values("cycle", kind="stable")
    up = _axis(looks["value"], _on_log(board) and bool((looks["value"] > 0).all()))
    across = _axis([0.0, *looks["real_images"]], False)
    if up is None or across is None:
        return None
    entries = list(dict.fromkeys(board.looks["label"]))
    found = [
        Curve(
            entries.index(label),
            [(across.place(look.real_images), up.place(look.value)) for look in mine.itertuples()],
            f"{plain(label)}, seed {seed}",
        )
        for (label, seed), mine in looks.groupby(["label", "seed"], sort=False)
    ]
    marks = [
        (up.place(target.bound), plain(target.name) or number(target.bound))
        for target in board.times.targets
        if up.holds(target.bound)
    ]
    title = f"{plain(board.headline.name)} during training"
    return Curves(title, across, up, list(map(plain, entries)), found, marks, _measured(looks))


def _measured(looks: pd.DataFrame) -> str:
    first = looks.iloc[0]
    on = f"on {plain(first['split'])}" if first["split"] else "on another split than the table's"
    size = f"{int(first['samples'])} samples, " if pd.notna(first["samples"]) else ""
    return f"Early looks ({size}{on}): they follow one run, and are not to be compared with the table's values."


def _on_log(board: Leaderboard) -> bool:
    return bool(board.frame["log"].any())


def _axis(values: Iterable[float], log: bool) -> Axis | None:
    finite = [float(value) for value in values if math.isfinite(value) and (value > 0 or not log)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    apart = math.isfinite(high - low) and high - low > max(1e-9 * max(abs(low), abs(high)), 1e-290)
    return Axis(low, high, log) if apart else None


def _strip(row: dict[str, Any], axis: Axis) -> Strip:
    names = row["seeds"] or itertools.repeat("unknown")
    dots = [
        Dot(axis.place(value), f"seed {seed}: {number(value)} ({status})", status != "completed")
        for seed, status, value in zip(names, row["statuses"], row["values"], strict=False)
        if axis.holds(value)
    ]
    low, centre, high = (row[name] for name in ("low", "centre", "high"))
    bar = (axis.place(low), axis.place(centre), axis.place(high)) if axis.holds(low) and axis.holds(high) else None
    without = sum(not math.isfinite(value) for value in row["values"])
    return Strip(plain(row["label"]), dots, without, bar)


def _step(least: float) -> float:
    """The smallest round step that is at least so large."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((power * step for step in STEPS if power * step >= least), power * 10)


def _short(value: float) -> str:
    """A round value as an axis has it."""
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    return f"{value / 1000:g} k" if value >= 1e4 else f"{value:.6g}"
