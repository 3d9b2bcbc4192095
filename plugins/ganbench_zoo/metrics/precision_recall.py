"""Improved precision and recall.  Kynkäänniemi et al. 2019, arXiv:1904.06991.

    precision: the share of generated samples inside the real manifold
    recall:    the share of real samples inside the generated one

A manifold is the union of balls around its samples, each reaching to the k-th nearest neighbour (`neighborhood`). Both
are in [0, 1] and depend on the number of samples. The values are torch-fidelity's; each distance is computed once.
Neither sees how often a part of the manifold is visited; one outlier among the real samples widens precision's.
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
    """Features `(N, width)` of both sides to precision and recall.

    Distances are held for at most `block` rows, in at most `memory` GB.
    """
    r, f = (side["features"].float().to(device) for side in (real, fake))
    k, fewest = int(params["neighborhood"]), min(len(r), len(f))
    if fewest <= k:
        raise UsageError(f"{k} nearest neighbours among {fewest} samples")
    rows = rows_within(params["memory"], max(len(r), len(f)), int(params["block"]))
    around_real, around_fake = radii(r, k, rows), radii(f, k, rows)
    reached, seen = [], torch.zeros(len(f), dtype=torch.bool, device=r.device)
    for d, radius in zip(distances(r, f, rows), around_real.split(rows), strict=True):
        reached.append((d <= around_fake).any(1))
        seen |= (d <= radius[:, None]).any(0)
    return {"precision": float(seen.float().mean()), "recall": float(torch.cat(reached).float().mean())}


@hookimpl
def ganbench_metrics():
    yield Metric(
        "precision-recall",
        ("features",),
        compute,
        (Column("precision", "higher", "share", positive=False), Column("recall", "higher", "share", positive=False)),
        Recipe(neighborhood=3, samples=10_000, block=1_000, memory=2.0),
        neutral=("memory",),
        paper="arXiv:1904.06991",
    )
