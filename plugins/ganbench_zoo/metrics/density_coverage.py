"""Density and coverage.  Naeem et al. 2020, arXiv:2002.09797.

    density:  1 / (k·M) · Σ over generated samples of the number of real balls that hold it
    coverage: the share of real samples whose ball holds a generated one

A ball reaches from a real sample to its k-th nearest real neighbour, its edge left out. Only real samples have balls,
so that generated outliers widen nothing. Density has no upper bound and rewards samples from crowded regions; coverage
of real samples by as many others is about 1 - 2^-k; neither sees copying.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Metric, Recipe, UsageError, hookimpl
from ganbench_zoo.layers.neighbours import distances, radii, rows_within


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` of both sides to density and coverage; distances are held in at most `memory` GB."""
    r, f = (side["features"].float().to(device) for side in (real, fake))
    k = int(params["neighbours"])
    if len(r) <= k:
        raise UsageError(f"{k} nearest neighbours among {len(r)} real samples")
    rows = rows_within(params["memory"], max(len(r), len(f)))
    around, held, covered = radii(r, k, rows), 0, []
    for d, radius in zip(distances(r, f, rows), around.split(rows), strict=True):
        inside = d < radius[:, None]
        held += int(inside.sum())
        covered.append(inside.any(1))
    return {"density": held / (k * len(f)), "coverage": float(torch.cat(covered).double().mean())}


@hookimpl
def ganbench_metrics():
    yield Metric(
        "density-coverage",
        ("features",),
        compute,
        (Column("density", "higher", positive=False), Column("coverage", "higher", "share", positive=False)),
        Recipe(neighbours=5, samples=10_000, memory=2.0),
        neutral=("memory",),
        paper="arXiv:2002.09797",
    )
