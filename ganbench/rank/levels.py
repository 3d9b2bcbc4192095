"""A suite's levels of quality: bounds on the headline by rows of the scale, and on other columns and sanity checks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganbench.record.levels import AT_LEAST, AT_MOST, BELOW, BELOW_ROLE, BELOW_SHARE
from ganbench.record.schema import is_number


@dataclass(frozen=True)
class Level:
    """A level that a seed reaches when its headline is below `bound` (same unit) and every other condition holds.

    least, most: inclusive bounds by name: a sanity value, or a column (its whole name, or the part before the slash).
    """

    name: str
    bound: float
    least: Mapping[str, float]
    most: Mapping[str, float]

    def reached(self, headline: float, others: Mapping[str, float]) -> bool:
        """Whether a seed with these values reaches it; a value that is not there fails its condition."""
        return (
            headline < self.bound
            and all(_value(others, name) >= low for name, low in self.least.items())
            and all(_value(others, name) <= high for name, high in self.most.items())
        )


def levels(declared: Mapping[str, Mapping[str, Any]], scale: Mapping[str, float], lower: bool) -> list[Level]:
    """The levels that can be judged here, the strictest headline first.

    declared: the suite's `levels`; scale: role -> headline of that row of the scale; lower: whether lower is better
    (levels are bounds on distances: there are none otherwise). A level whose conditions are unknown, or lean on a row
    that is not there, is left out.
    """
    found = [level for name, conditions in declared.items() if lower and (level := _level(name, conditions, scale))]
    return sorted(found, key=lambda level: (level.bound, -len(level.least) - len(level.most), level.name))


def _level(name: str, conditions: Mapping[str, Any], scale: Mapping[str, float]) -> Level | None:
    bounds, least, most = [math.inf], {}, {}
    for key, wanted in conditions.items():
        if key == BELOW_ROLE:
            bounds.append(scale.get(wanted, math.nan) if isinstance(wanted, str) else math.nan)
        elif not is_number(wanted):
            return None
        elif key == BELOW:
            bounds.append(float(wanted))
        elif key.startswith(BELOW_SHARE):
            bounds.append(wanted * scale.get(key.removeprefix(BELOW_SHARE), math.nan))
        elif key.endswith(AT_LEAST):
            least[key.removesuffix(AT_LEAST)] = float(wanted)
        elif key.endswith(AT_MOST):
            most[key.removesuffix(AT_MOST)] = float(wanted)
        else:
            return None
    return None if any(map(math.isnan, bounds)) else Level(name, min(bounds), least, most)


def _value(others: Mapping[str, float], name: str) -> float:
    """The value of that name; NaN, which fails every comparison, where there is none."""
    plain = name.replace("_", "-")
    for key, value in others.items():
        if key in (name, plain) or key.partition("/")[0] in (name, plain):
            return value
    return math.nan


def histogram_distance(histogram: list[float] | None) -> float:
    """Total variation in [0, 1] of a histogram of predicted classes (shares) from the uniform one; NaN without one."""
    total = sum(histogram or [])
    if not histogram or total <= 0:
        return math.nan
    return 0.5 * sum(abs(share / total - 1 / len(histogram)) for share in histogram)
