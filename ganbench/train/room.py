"""Waiting for room on a disk that is full."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ganbench.record.files import FULL

Made = TypeVar("Made")
PATIENCE = 600.0
"""Seconds after which a run gives up."""


class Room:
    """Writes below a folder that wait for room. stop: asked meanwhile; True gives up at once. beat: a sign of life."""

    def __init__(self, folder: Path, stop: Callable[[], bool], beat: Callable[[], None]) -> None:
        self._folder, self._stop, self._beat = folder, stop, beat
        self.patience, self.every = PATIENCE, 1.0

    def wait(self, write: Callable[[], Made]) -> tuple[Made, float]:
        """What `write` gives, and the seconds it had to wait; it must leave nothing behind where it raises."""
        began = time.monotonic()
        waited = 0.0
        while True:
            try:
                return write(), waited
            except OSError as error:
                if error.errno not in FULL or self._stop() or waited >= self.patience:
                    raise
            if not waited:
                say(f"no room on the disk of {self._folder}; the run waits for up to {self.patience:.0f} s")
            time.sleep(self.every)
            waited = time.monotonic() - began
            self._beat()


def say(line: str) -> None:
    """A line for the log, which may lie on a full disk itself."""
    with contextlib.suppress(OSError):
        print(line, file=sys.stderr, flush=True)
