"""What is going on: a display that follows the runs, or plain lines where stderr is no terminal."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ganbench.publish.scoring import clock, describe_scoring
from ganbench.publish.text import plain, quantity
from ganbench.record.progress import read_scoring
from ganbench.record.schema import is_number
from ganbench.record.tail import last_event

_STYLES = {"completed": "green", "skipped": "dim", "diverged": "yellow"}


@dataclass(frozen=True)
class _Running:
    label: str
    seed: int
    costly: bool
    began: float


class Live:
    """Told when a run begins and ends; reads the rest from the runs' own events."""

    def __init__(self, total: int, slots: int, console: Console, pace: float = 0.0) -> None:
        """total: runs to do. slots: how many at a time; 0: as many as run. pace: expected seconds of a trained run,
        0 if unknown."""
        self._total, self._slots, self._console, self._pace = total, slots, console, pace
        self._running: dict[Path, _Running] = {}
        self._done = 0
        self._note = ""
        self._durations: list[float] = []
        self._screen: RichLive | None = None
        if console.is_terminal and total:
            self._screen = RichLive(get_renderable=self._picture, console=console, refresh_per_second=2, transient=True)

    def __enter__(self) -> Live:
        if self._screen is not None:
            self._screen.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._screen is not None:
            self._screen.stop()

    def started(self, folder: Path, label: str, seed: int, costly: bool) -> None:
        """A run begins. costly: it is trained, so its duration tells how long others take."""
        self._running = {**self._running, folder: _Running(plain(label), seed, costly, time.monotonic())}

    def finished(self, folder: Path, status: str, reason: str | None, seconds: float) -> None:
        """A run has ended: one line that stays."""
        run = self._running[folder]
        self._running = {f: r for f, r in self._running.items() if f != folder}
        self._done += 1
        if run.costly and status == "completed":
            self._durations.append(seconds)
        why = f": {plain(reason)}" if reason and status != "completed" else ""
        name = f"[{self._done}/{self._total}] {run.label} · seed {run.seed}"
        self.say(f"{name}: {plain(status)} after {clock(seconds)}{why}", _STYLES.get(status, "red"))

    def note(self, words: str) -> None:
        """What stands beside the bar until something else does."""
        self._note = plain(words)

    def say(self, words: str, style: str = "") -> None:
        """A line that stays. Where it finds no room (a full disk, a terminal that is gone), the runs go on without."""
        with contextlib.suppress(OSError):
            self._console.print(Text(plain(words), style=style), soft_wrap=True)

    def seconds_left(self) -> float | None:
        """From the runs that have ended, else from the expected pace; None while nothing is known."""
        each = sum(self._durations) / len(self._durations) if self._durations else self._pace
        if each <= 0:
            return None
        begun = sum(min(1.0, (time.monotonic() - r.began) / each) for r in self._running.values())
        slots = self._slots or max(1, len(self._running))
        return max(0.0, (self._total - self._done - begun) * each / slots)

    def _picture(self) -> RenderableType:
        left = self.seconds_left()
        head = Table.grid(padding=(0, 2))
        time_left = ", ".join(filter(None, [f"about {clock(left)} left" if left is not None else "", self._note]))
        done = Text(f"{self._done} of {self._total} runs")
        head.add_row(ProgressBar(self._total, self._done, width=30), done, Text(time_left))
        rows = Table.grid(padding=(0, 2))
        for folder, run in self._running.items():
            scoring = read_scoring(folder)
            words = ("scoring", *describe_scoring(scoring)) if scoring else describe(last_event(folder) or {})
            rows.add_row(Text(run.label), Text(f"seed {run.seed}"), *map(Text, words))
        return Group(head, rows)


def describe(event: Mapping[str, Any]) -> tuple[str, str, str]:
    """Share of the budget, losses and speed of a progress event; what is not a number there is left out."""
    share, rate, losses = event.get("progress"), event.get("images_per_second"), event.get("losses")
    numbers = losses.items() if isinstance(losses, dict) else ()
    return (
        f"{100 * share:.0f} %" if is_number(share) else "starting",
        "  ".join(f"{plain(name)} {value:.3g}" for name, value in list(numbers)[:6] if is_number(value)),
        f"{quantity(rate)} images/s" if is_number(rate) else "",
    )
