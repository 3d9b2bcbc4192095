"""A sign of life: a file in the run's folder that its process touches while it gets on."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

NAME = ".pulse"


class Pulse:
    """Beats at most once a second, so that it may be asked to after every step."""

    def __init__(self, folder: Path, every: float = 1.0) -> None:
        self._file, self._every, self._last = folder / NAME, every, float("-inf")

    def beat(self) -> None:
        """The process got on with its work."""
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            with contextlib.suppress(OSError):  # a full disk is told of elsewhere
                self._file.touch()


def last_beat(folder: Path) -> int | None:
    """When it last beat, on the clock of the folder's file system: good for comparing with itself alone."""
    try:
        return (folder / NAME).stat().st_mtime_ns
    except OSError:
        return None
