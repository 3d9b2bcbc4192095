"""How far a scoring is: a bar on a terminal, at most one line anywhere else."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from rich.console import Console, RenderableType
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ganbench.publish.text import plain
from ganbench.record.progress import Scoring, read_scoring

PATIENCE = 30.0
"""Seconds that a scoring has to take for a line where there is no terminal."""
LOOK = 1.0


def clock(seconds: float) -> str:
    """`41 s`, `2:05 min`, `1:03 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def describe_scoring(state: Scoring) -> tuple[str, str]:
    """What is being done and how far it is, and the time that is left of what can be foreseen."""
    counted = f": {state.done:,} of {state.total:,} done" if state.total else ""
    left = f"about {clock(state.seconds_left)} left" if state.seconds_left else ""
    return f"{plain(state.what)[:60]}{counted}", left


class ScoringDisplay:
    """Follows what the process that scores a folder tells, for as long as the block lasts."""

    def __init__(self, folder: Path, console: Console) -> None:
        self._folder, self._console, self._leave = folder, console, threading.Event()
        self._screen: RichLive | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ScoringDisplay:
        if self._console.is_terminal:
            self._screen = RichLive(
                get_renderable=self._picture, console=self._console, refresh_per_second=4, transient=True
            )
            self._screen.start()
        else:
            self._thread = threading.Thread(target=self._one_line, name="scoring display", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave.set()
        if self._screen is not None:
            self._screen.stop()
        if self._thread is not None:
            self._thread.join()

    def _picture(self) -> RenderableType:
        state = read_scoring(self._folder)
        if state is None:
            return Text("starting")
        row = Table.grid(padding=(0, 2))
        bar = [ProgressBar(state.total, min(state.done, state.total), width=30)] if state.total else []
        row.add_row(*bar, *map(Text, describe_scoring(state)))
        return row

    def _one_line(self) -> None:
        while not self._leave.wait(LOOK):
            state = read_scoring(self._folder)
            if state is not None and (state.seconds_left or 0.0) > PATIENCE:
                self._console.print(Text(", ".join(("scoring", *describe_scoring(state)))), soft_wrap=True)
                return
