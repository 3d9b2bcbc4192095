"""A search over recipes as data: the space, the same for every entry; the trials drawn from it; and what a tuned table
says of how its recipes were found.

Trials are drawn at random (Bergstra & Bengio 2012, Random Search for Hyper-Parameter Optimization, JMLR 13), so that
none depends on the outcome of another, and every entry is given the same ones.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.api import Value
from ganbench.errors import UsageError, short
from ganbench.plan.seeds import derive, read_seeds
from ganbench.plan.table import Table, read_table

MOST_TRIALS = 10_000
FIRST_SEED = 1_000
"""Of trials, where the space names none: far from the seeds of a tier, which are to be fresh."""
DIGITS = 3
"""Significant ones, of a number that is drawn."""


@dataclass(frozen=True)
class Range:
    """Numbers from low to high, both included; log: even on a logarithmic scale; whole: whole numbers."""

    low: float
    high: float
    log: bool
    whole: bool

    def draw(self, generator: random.Random) -> Value:
        """One of them, with as many digits as a table shows."""
        ends = (self.low - 0.5 * self.whole, self.high + 0.5 * self.whole)
        drawn = math.exp(generator.uniform(*map(math.log, ends))) if self.log else generator.uniform(*ends)
        if self.whole:
            return int(min(max(round(drawn), self.low), self.high))
        return min(max(float(f"{drawn:.{DIGITS}g}"), self.low), self.high)


@dataclass(frozen=True)
class Space:
    """keys: recipe key -> what its values are drawn from. trials: of each entry, its own recipe being the first one.
    seeds: of each trial. written: the keys as the file has them."""

    keys: Mapping[str, Range | tuple[Value, ...]]
    trials: int
    seeds: tuple[int, ...]
    written: Mapping[str, Any]

    def draw(self, seed: int) -> list[dict[str, Value]]:
        """The settings of every trial: none in the first, which is an entry as the suite has it."""
        return [{}, *({k: self._draw(k, seed, trial) for k in self.keys} for trial in range(1, self.trials))]

    def _draw(self, key: str, seed: int, trial: int) -> Value:
        generator = random.Random(derive(seed, "tuning", key, trial))
        values = self.keys[key]
        return values.draw(generator) if isinstance(values, Range) else generator.choice(values)


def read_space(file: Path) -> Space:
    """Read the file of a search space."""
    table = read_table(file, f"search space {file}")
    keys = table.take("space", dict)
    if not keys:
        raise UsageError(f"{table.where}: 'space' is empty; add a key, such as lr = {{ low = 1e-4, high = 1e-2 }}")
    trials, seeds = table.take("trials", int), table.take("seeds", (int, list), 1)
    table.done()
    if not 2 <= trials <= MOST_TRIALS:
        raise UsageError(f"{table.where}: 'trials' must be from 2 (the first is the own recipe) to {MOST_TRIALS:,}")
    drawn = {k: _values(k, v, table.where) for k, v in keys.items()}
    return Space(drawn, trials, read_seeds(seeds, table.where, FIRST_SEED), keys)


def _values(key: str, given: Any, where: str) -> Range | tuple[Value, ...]:
    where = f"{where}, '{key}'"
    if isinstance(given, list):
        values = tuple(tuple(v) if isinstance(v, list) else v for v in given)
        if len(values) < 2 or any(isinstance(v, dict) for v in values):
            raise UsageError(f"{where}: a list holds two or more values to choose from, not {short(given)}")
        return values
    if not isinstance(given, dict):
        raise UsageError(f"{where}: expected a list of values, or {{ low = …, high = … }}, not {short(given)}")
    table = Table(given, where)
    low, high = table.take("low", (int, float)), table.take("high", (int, float))
    found = Range(low, high, table.take("log", bool, False), isinstance(low, int) and isinstance(high, int))
    table.done()
    if not low < high:
        raise UsageError(f"{where}: 'low' must be below 'high', and {low} is not below {high}")
    if found.log and low <= 0:
        raise UsageError(f"{where}: 'low' must be above 0 on a logarithmic scale, not {low}")
    return found


def read_tuning(given: Mapping[str, Any] | None, where: str) -> Mapping[str, Any] | None:
    """What a tier says of how its recipes were found, for its records: trials, seeds, headline, split, data, space."""
    if given is None:
        return None
    table = Table(given, f"{where}, 'tuning'")
    found = {
        "trials": table.take("trials", int),
        "seeds": table.take("seeds", list),
        "headline": table.take("headline", str),
        "split": table.take("split", str),
        "data": table.take("data", str),
        "space": table.take("space", dict),
    }
    table.take("entries", list, [])
    table.done()
    if not all(isinstance(seed, int) for seed in found["seeds"]):
        raise UsageError(f"{table.where}: 'seeds' must be whole numbers, not {short(found['seeds'])}")
    return found
