"""How far the scoring of a run is: a small file in its folder while that lasts, for whoever shows it."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ganbench.record.schema import is_number

NAME = ".scoring"
LARGEST = 4096
"""Bytes of the file that are read."""


@dataclass(frozen=True)
class Scoring:
    """what: is being done, in a few words. done, total: of its items; a total of 0 where they are not counted.

    seconds_left: of everything whose duration is known, or None.
    """

    what: str
    done: int = 0
    total: int = 0
    seconds_left: float | None = None


class Progress:
    """Written at most once in `every` seconds, so that it may be told after every batch."""

    def __init__(self, folder: Path, every: float = 0.5) -> None:
        self._file, self._every, self._last = folder / NAME, every, float("-inf")

    def tell(self, state: Scoring, now: bool = False) -> None:
        """now: also where it was told a moment ago."""
        if not now and time.monotonic() - self._last < self._every:
            return
        self._last = time.monotonic()
        new = self._file.with_name(f"{NAME}.new")
        with contextlib.suppress(OSError):  # a full disk is told of elsewhere
            new.write_text(json.dumps(asdict(state)), encoding="utf-8")
            os.replace(new, self._file)

    def close(self) -> None:
        """There is no more to tell."""
        clear_scoring(self._file.parent)


def read_scoring(folder: Path) -> Scoring | None:
    """What was told last; None where nothing is, or what is there is not what it should be."""
    try:
        with (folder / NAME).open("rb") as file:
            told = json.loads(file.read(LARGEST))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(what := told.get("what"), str):
        return None
    numbers = {key: told[key] for key in ("done", "total", "seconds_left") if is_number(told.get(key))}
    done, total = (max(0, int(numbers.get(key, 0))) for key in ("done", "total"))
    left = numbers.get("seconds_left")
    return Scoring(what, done, total, None if left is None else max(0.0, float(left)))


def clear_scoring(folder: Path) -> None:
    """Remove what a process, which may have been killed, left."""
    for name in (NAME, f"{NAME}.new"):
        with contextlib.suppress(OSError):
            (folder / name).unlink(missing_ok=True)
