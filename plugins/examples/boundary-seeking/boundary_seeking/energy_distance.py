"""Energy distance of features.  Székely & Rizzo 2013, doi:10.1016/j.jspi.2013.03.018.

    2 E‖f(x) - f(y)‖ - E‖f(x) - f(x')‖ - E‖f(y) - f(y')‖,   x, x' real and y, y' generated

Pairs of a sample with itself are left out: the estimate is unbiased, and may be slightly negative where both sides are
alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Metric, Recipe, hookimpl

ROWS = 500
"""Rows of the matrix of distances that are held at a time."""


def total(a: Tensor, b: Tensor) -> float:
    """The sum of all distances between rows of `a` `(N, width)` and of `b` `(M, width)`."""
    return sum(float(torch.cdist(rows, b).sum()) for rows in a.split(ROWS))


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` of both sides to the distance, in units of the features."""
    x, y = real["features"].double(), fake["features"].double()
    n, m = len(x), len(y)
    return {
        "energy-distance": 2 * total(x, y) / (n * m) - total(x, x) / (n * (n - 1)) - total(y, y) / (m * (m - 1)),
    }


@hookimpl
def ganbench_metrics() -> Iterator[Metric]:
    yield Metric(
        "energy-distance",
        ("features",),
        compute,
        (Column("energy-distance", "lower", positive=False),),
        params=Recipe(samples=10_000),  # at most so many of each side
        paper="doi:10.1016/j.jspi.2013.03.018",
    )
