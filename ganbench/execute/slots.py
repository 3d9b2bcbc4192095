"""Which slots this machine has: one per CPU core, or one per GPU (several, where that is asked for)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from ganbench.errors import UsageError


@dataclass(frozen=True)
class Devices:
    """kind: `"cpu"` or `"cuda"`, part of a run's identity. slots: the device of each slot."""

    kind: str
    slots: tuple[str, ...]

    def __str__(self) -> str:
        what, there = ("core", self.slots) if self.kind == "cpu" else ("GPU", tuple(dict.fromkeys(self.slots)))
        shared = f", {len(self.slots)} runs at a time" if len(there) < len(self.slots) else ""
        return f"{len(there)} {what}{'s' * (len(there) != 1)}{shared}"

    def taken(self, runs: int, most: int | None = None) -> list[tuple[str, bool]]:
        """The device of each slot that so many runs need, and whether another one shares it. most: slots on one GPU."""
        slots = list(self.slots)
        if self.kind == "cuda" and most is not None:
            slots = [device for i, device in enumerate(slots) if slots[:i].count(device) < most]
        slots = slots[:runs]
        return [(device, self.kind == "cuda" and slots.count(device) > 1) for device in slots]


def cpu_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def devices(text: str, gpus: Callable[[], int], jobs: int | None = None) -> Devices:
    """What `--device` and `--jobs` mean here.

    text: `auto`, `cpu`, `cuda` (every GPU) or `cuda:1`. gpus: counts the GPUs that torch can use; called only if it
    matters. jobs: at most so many slots; more than there are GPUs share them.
    """
    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs {jobs}: must be at least 1")
    kind, colon, number = text.partition(":")
    if kind == "mps":
        raise UsageError(f"--device {text}: it has no exact, deterministic float32 mode to refer to; use --device cpu")
    if kind not in ("auto", "cpu", "cuda") or (colon and (kind != "cuda" or not number.isdecimal())):
        raise UsageError(f"--device {text}: must be auto, cpu, cuda or cuda:N")
    count = gpus() if kind != "cpu" else 0
    if kind == "cuda":
        if count == 0:
            raise UsageError(f"--device {text}: torch finds no GPU here; use --device cpu")
        if colon and int(number) >= count:
            there = ", ".join(f"cuda:{i}" for i in range(count))
            raise UsageError(f"--device {text}: there is no such GPU; there are: {there}")
    if count:
        slots = (f"cuda:{int(number)}",) if colon else tuple(f"cuda:{i}" for i in range(count))
        return Devices("cuda", tuple(slots[i % len(slots)] for i in range(jobs or len(slots))))
    return Devices("cpu", ("cpu",) * min(cpu_cores(), jobs or cpu_cores()))


SCALE_ROW = 4.0
"""Seconds of a row of the scale on a CPU core: drawing and scoring it."""


def seconds_left(runs: int, slots: int, seconds_per_run: float, scale_rows: int = 0) -> float | None:
    """Wall-clock seconds for so many equal runs and rows of the scale; None where nobody measured a run."""
    if seconds_per_run <= 0:
        return None
    slots = max(1, slots)
    return -(-runs // slots) * seconds_per_run + -(-scale_rows // slots) * SCALE_ROW
