"""Seeds are derived, never counted up: sha256 over (seed, purpose, axes).

Torch's generator on a CPU looks at the low 32 bits of a seed only (a GPU's at all of it). Of n seeds used there about
n² / 2³³ pairs are thus expected to begin one and the same sequence: one to five pairs in a run of 100,000 steps, and
among the initialisations of a hundred networks one pair in a million tables. Such a pair of steps draws the same noise,
on other weights and other data; every draw by itself is as it should be. Seeds are not cut to 32 bits here, nor drawn
without repetition, because either would change every run.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ganbench.errors import UsageError, short

MOST_SEEDS = 10_000


def derive(seed: int, purpose: str, *axes: str | int) -> int:
    """A seed in [0, 2**63) for one purpose; different axes give unrelated seeds."""
    text = "\x1f".join(map(str, (seed, purpose, *axes)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def read_seeds(value: int | list[Any], where: str, first: int = 0) -> tuple[int, ...]:
    """The key `seeds` of a file: a list, or a count, which begins at `first`. where: the file, for errors."""
    if isinstance(value, int):
        if not 1 <= value <= MOST_SEEDS:
            raise UsageError(f"{where}: 'seeds' must be 1 to {MOST_SEEDS:,}, not {short(value)}")
        return tuple(range(first, first + value))
    if not value or not all(isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in value):
        raise UsageError(f"{where}: 'seeds' must be a count or a list of whole numbers, not {short(value)}")
    return tuple(dict.fromkeys(value))
