"""The error that comes from scoring a finite sample of one generator, kept beside a score.

It is no interval of a table: a table's unit is a training seed, and the spread over seeds contains this error already.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganbench.api import Measured, Metric
from ganbench.errors import Caution, UsageError
from ganbench.undisturbed import undisturbed

JACKKNIFE = "delete-a-group jackknife"

Side = Mapping[str, Tensor]


def described(value: float) -> dict[str, Any]:
    """What a record says beside a value: `sampling_error` (an object, or None) and, where there are any, `parts`."""
    if not isinstance(value, Measured):
        return {"sampling_error": None}
    known = value.error is not None and math.isfinite(value.error)
    error = {"value": value.error, "method": value.method, "groups": value.groups} if known else None
    return {"sampling_error": error, **({"parts": value.parts} if value.parts else {})}


def with_jackknife(
    found: Mapping[str, float], metric: Metric, real: Side, fake: Side, params: Mapping[str, Any], device: str,
    *further: Side,
) -> Mapping[str, float]:  # fmt: skip
    """The values, those without an error of their own with the jackknife's, if the metric asks for it.

    Group g of G holds the samples g, g + G, g + 2G, … With θ_g the value without group g, the variance is
    (G - 1) / G · Σ (θ_g - mean)².  Kott 2001, J. Official Statistics 17.
    """
    lacking = [name for name, value in found.items() if getattr(value, "error", None) is None]
    size, groups = min(map(len, fake.values()), default=0), metric.jackknife
    if not lacking or groups < 2 or size - math.ceil(size / groups) < metric.minimum:
        return found
    without: list[Mapping[str, float]] = []
    with warnings.catch_warnings(), undisturbed():
        warnings.simplefilter("ignore", Caution)
        for group in range(groups):
            kept = {need: t[[i for i in range(len(t)) if i % groups != group]] for need, t in fake.items()}
            try:
                without.append(metric.compute(real, kept, params, device, *further))
            except UsageError:
                return found  # too few samples without a group
    result = dict(found)
    for name in lacking:
        values = [float(w.get(name, math.nan)) for w in without]
        mean = sum(values) / groups
        error = math.sqrt((groups - 1) / groups * sum((v - mean) * (v - mean) for v in values))  # not ** 2: it raises
        result[name] = Measured(found[name], error, JACKKNIFE, groups, getattr(found[name], "parts", None))
    return result
