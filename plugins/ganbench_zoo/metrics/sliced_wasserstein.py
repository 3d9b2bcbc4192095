"""Sliced Wasserstein distance.  Bonneel et al. 2015, doi:10.1007/s10851-014-0506-3.

    the root of the mean, over random directions, of the squared 2-Wasserstein distance between the projections

It works on samples as they are: points and other floats in their own unit, images as values in [0, 1], so it needs no
extractor. In one dimension the distance is that of sorted values; as many samples of the larger side are used as the
smaller one has. It sees marginal differences along lines: on images mostly brightness and blur, not whether the picture
makes sense, and it does not see copies. Equal distributions give more than 0 from finitely many samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Measured, Metric, Recipe, hookimpl
from ganbench_zoo.layers.sampling import FIRST_ORDER, of_mean

CHUNK, SLICES = 1_000, 64
"""Samples projected, and directions sorted, at a time."""


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Samples `(N, …)` of both sides to the distance along `directions` random lines, drawn with `seed`."""
    n = min(len(real["samples"]), len(fake["samples"]))
    sides = [side["samples"][:n].flatten(1) for side in (real, fake)]
    directions = torch.randn(
        sides[0].shape[1], int(params["directions"]), generator=torch.Generator().manual_seed(int(params["seed"]))
    )
    directions = (directions / directions.norm(dim=0)).to(device)
    total, error = 0.0, None
    for some in directions.split(SLICES, 1):
        first, second = (_projected(side, some).sort(0) for side in sides)
        total += float((first.values - second.values).double().square().mean(0).sum())
        if error is None:
            error = of_mean(_potentials(first.values, second).mean(1))  # of the square, and the other slices are alike
    value = (total / directions.shape[1]) ** 0.5
    return {"swd": Measured(value, error / (2 * value) if error is not None and value else None, FIRST_ORDER)}


def _potentials(real: Tensor, fake: torch.return_types.sort) -> Tensor:
    """What each generated sample contributes to the squared distance along each line, `(N, slices)`.

    real, fake: coordinates, sorted. The transport's potential: its slope is twice the way from the real to the
    generated coordinate, and only differences of it count.
    """
    x = fake.values.double()
    way = x - real.double()
    rise = (way[1:] + way[:-1]) * x.diff(dim=0)
    potential = torch.cat([rise.new_zeros(1, rise.shape[1]), rise.cumsum(0)])
    return torch.empty_like(potential).scatter_(0, fake.indices, potential)


def _projected(samples: Tensor, directions: Tensor) -> Tensor:
    """Coordinates `(N, slices)` along the directions; whole numbers are first scaled to [0, 1]."""
    scale = 1.0 if samples.is_floating_point() else 1.0 / torch.iinfo(samples.dtype).max
    parts = [chunk.to(directions) * scale @ directions for chunk in samples.split(CHUNK)]
    return torch.cat(parts)


@hookimpl
def ganbench_metrics():
    yield Metric(
        "sliced-wasserstein",
        ("samples",),
        compute,
        (Column("swd", "lower"),),
        Recipe(samples=10_000, directions=512, seed=2020),
        paper="doi:10.1007/s10851-014-0506-3",
    )
