"""Ends a process that hangs: one that has shown no sign of life in its run's folder for too long."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from pathlib import Path
from types import TracebackType

from ganbench.execute.child import Child
from ganbench.record.pulse import NAME, last_beat
from ganbench.storage import seconds_from

VARIABLE, HANG_SECONDS = "GANBENCH_HANG_SECONDS", 600.0
PATIENT = 6.0
"""Times as long may pass where no step is counted: starting, the first cycle, a metric."""
LAST_WORDS = 2.0
"""Seconds in which a process that hangs writes where it does so."""
TICK = 1.0


def hang_seconds() -> float:
    """Seconds without a cycle after which a run is taken to hang, from `GANBENCH_HANG_SECONDS`."""
    return seconds_from(VARIABLE, HANG_SECONDS)


class Watchdog:
    """Watches a child for as long as the block lasts. hung: whether it was ended for that; reason: why, in words."""

    def __init__(self, child: Child, folder: Path, seconds: float, first: float | None = None) -> None:
        """seconds: between two signs of life. first: before the first one, where that is more."""
        self._child, self._folder, self._seconds, self._first = child, folder, seconds, first or seconds
        self._leave, self.hung, self.reason = threading.Event(), False, ""
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave.set()
        self._thread.join()
        with contextlib.suppress(OSError):
            (self._folder / NAME).unlink(missing_ok=True)

    def _watch(self) -> None:
        """Silence is counted in ticks of this process: a machine that sleeps, or a clock that jumps, adds one at most.

        Beats are compared with each other only, whatever clock the folder's file system goes by.
        """
        tick = min(TICK, self._seconds / 4)
        beat, silent, limit = last_beat(self._folder), 0.0, self._first
        before = time.monotonic()
        while not self._leave.wait(tick):
            now = time.monotonic()
            silent, before = silent + min(now - before, 2 * tick), now
            if (latest := last_beat(self._folder)) != beat:
                beat, silent, limit = latest, 0.0, self._seconds
            if silent > limit:
                self.reason = f"hung: no sign of life for {limit:g} s ({VARIABLE} says how long to wait)"
                self.hung = True
                self._child.signal(signal.SIGABRT)  # the fault handler writes every thread's traceback to the log
                self._leave.wait(LAST_WORDS)
                self._child.signal(signal.SIGKILL)
                return
