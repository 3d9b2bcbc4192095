"""Density and coverage.  Naeem et al. 2020, arXiv:2002.09797.

    density:  1 / (k·M) · Σ over generated samples of the number of real balls that hold it
    coverage: the share of real samples whose ball holds a generated one

A ball reaches from a real sample to its k-th nearest real neighbour, its edge left out. Only real samples have balls,
so that generated outliers widen nothing. Density has no upper bound and rewards samples from crowded regions; coverage
of real samples by as many others is about 1 - 2^-k; neither sees copying.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Measured, Metric, Recipe, UsageError, hookimpl
from ganbench_zoo.layers.neighbours import distances, radii, rows_within
from ganbench_zoo.layers.sampling import FIRST_ORDER, of_mean

FEW = 10
"""Most samples in a ball that counts for coverage's error."""


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` of both sides to density and coverage; distances are held in at most `memory` GB."""
    r, f = (side["features"].float().to(device) for side in (real, fake))
    k = int(params["neighbours"])
    if len(r) <= k:
        raise UsageError(f"{k} nearest neighbours among {len(r)} real samples")
    rows = rows_within(params["memory"], max(len(r), len(f)))
    around, held, holds, pairs, first = radii(r, k, rows), torch.zeros(len(f), device=r.device), [], [], 0
    for d, radius in zip(distances(r, f, rows), around.split(rows), strict=True):
        inside = d.lt_(radius[:, None])  # 0 and 1, in the memory of the distances
        held += inside.sum(0)
        holds.append(inside.sum(1))
        few = torch.where((holds[-1] > 0) & (holds[-1] <= FEW))[0]
        ball, sample = inside[few].nonzero(as_tuple=True)
        pairs.append(torch.stack([few[ball] + first, sample]))
        first += len(d)
    counts = torch.cat(holds).long()
    density, coverage = int(held.double().sum()) / (k * len(f)), float((counts > 0).double().mean())
    return {
        "density": Measured(density, of_mean(held / k), FIRST_ORDER),
        "coverage": Measured(coverage, coverage_error(counts, torch.cat(pairs, 1), len(f)), "inclusion and exclusion"),
    }


def coverage_error(counts: Tensor, pairs: Tensor, samples: int) -> float:
    """Coverage's standard error over generated samples.

    counts: of samples in each of the N balls. pairs: balls and samples in them `(2, P)`, of all balls with 1 … FEW.
    Balls i and j are empty together more often than each for itself because of samples that lie in both: for Poisson
    counts, (-1)^(m + 1) if the same m > 0 samples lie in either, else 0, has that covariance as its mean. The series
    over m is smoothed by binomial tails (Efron & Thisted 1976, doi:10.1093/biomet/63.3.435), and the number of samples
    being fixed takes its share off.
    """
    tails = [sum(math.comb(FEW, j) for j in range(m, FEW + 1)) / 2**FEW for m in range(FEW + 1)]
    signs = counts.new_tensor(
        [0.0] + [tail * (-1) ** (m + 1) for m, tail in enumerate(tails) if m], dtype=torch.float64
    )
    codes = torch.randint(2**62, (samples,), generator=torch.Generator().manual_seed(0)).to(counts.device)
    of_ball = torch.zeros_like(counts).index_add_(0, pairs[0], codes[pairs[1]])  # equal for equal sets of samples
    some = (counts > 0) & (counts <= FEW)
    _, which, times = of_ball[some].unique(return_inverse=True, return_counts=True)
    total = float((times[which] * signs[counts[some]]).sum())
    total -= float((counts == 1).sum()) ** 2 / samples
    return max(total, 0.0) ** 0.5 / len(counts)


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
