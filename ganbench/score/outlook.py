"""What is left to do of a scoring, in samples, metrics and seconds, as it goes on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganbench.record.progress import Progress, Scoring
from ganbench.record.pulse import Pulse

TRUSTED = 5.0
"""Seconds of extraction after which its own speed says more than the declared one."""


@dataclass
class _Extracting:
    """One extractor's samples: planned and done, the seconds they took, and what one of them takes by declaration."""

    planned: int
    each: float | None
    done: int = 0
    seconds: float = 0.0

    @property
    def left(self) -> float | None:
        """Seconds; None while nothing is known."""
        each = self.seconds / self.done if self.done and self.seconds >= TRUSTED else self.each
        return None if each is None else max(0, self.planned - self.done) * each


class Outlook:
    """Told what was done; tells the folder's pulse and progress."""

    def __init__(self, folder: Path) -> None:
        self._pulse, self._progress = Pulse(folder), Progress(folder)
        self._extracting: dict[str, _Extracting] = {}
        self._metrics = self._measured = 0
        self._before = time.monotonic()

    def plan(self, samples: Mapping[str, int], seconds_each: Mapping[str, float | None], metrics: int) -> None:
        """samples, seconds_each: by extractor. metrics: how many computations there will be."""
        self._extracting = {name: _Extracting(n, seconds_each[name]) for name, n in samples.items() if n}
        self._metrics, self._measured = metrics, 0
        for name, work in self._extracting.items():
            self._progress.tell(Scoring(name, 0, work.planned, self.seconds_left), now=True)
            break

    @property
    def seconds_left(self) -> float | None:
        """Of all extraction; None where that is not known of each. Nothing says how long metrics take."""
        left = [work.left for work in self._extracting.values()]
        known = [seconds for seconds in left if seconds is not None]
        return sum(known) if left and len(known) == len(left) else None

    def extracted(self, name: str, samples: int) -> None:
        """An extractor has seen so many more samples."""
        self._pulse.beat()
        now = time.monotonic()
        work = self._extracting.setdefault(name, _Extracting(0, None))
        work.done, work.seconds = work.done + samples, work.seconds + now - self._before
        work.planned, self._before = max(work.planned, work.done), now
        self._progress.tell(Scoring(name, work.done, work.planned, self.seconds_left))

    def extracts(self) -> None:
        """An extraction begins: its seconds are counted from here."""
        self._before = time.monotonic()

    def measures(self, name: str) -> None:
        """A metric begins."""
        self._pulse.beat()
        state = Scoring(f"metric {name}", self._measured, max(self._metrics, self._measured + 1), self.seconds_left)
        self._measured += 1
        self._progress.tell(state, now=True)

    def close(self) -> None:
        """It is over."""
        self._progress.close()
