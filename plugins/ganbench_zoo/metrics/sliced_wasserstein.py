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

from ganbench import Column, Metric, Recipe, hookimpl

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
    total = 0.0
    for some in directions.split(SLICES, 1):
        first, second = (_projected(side, some).sort(0).values for side in sides)
        total += float((first - second).double().square().mean(0).sum())
    return {"swd": (total / directions.shape[1]) ** 0.5}


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
