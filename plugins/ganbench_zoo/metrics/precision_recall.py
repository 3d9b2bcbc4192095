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

from ganbench import Column, Measured, Metric, Recipe, UsageError, hookimpl
from ganbench_zoo.layers.neighbours import any_within, distances, radii, rows_within
from ganbench_zoo.layers.sampling import BINOMIAL, of_share

GROUPS = 8
"""Parts of the generated samples whose recalls give its error."""
ENOUGH = 2_500
"""Real samples that are looked at for it, about."""


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
    within = [radii(part, k, rows) for part in f.tensor_split(GROUPS)] if len(f) >= GROUPS * (k + 1) else []
    reached, seen = [], torch.zeros(len(f), dtype=torch.bool, device=r.device)
    by_group: list[Tensor] = []
    step, first = max(1, len(r) // ENOUGH), 0
    for d, radius in zip(distances(r, f, rows), around_real.split(rows), strict=True):
        reached.append(any_within(d, around_fake, 1))
        seen |= any_within(d, radius[:, None], 0)
        if within:
            parts = zip(d[-first % step :: step].tensor_split(GROUPS, 1), within, strict=True)
            by_group.append(torch.stack([any_within(part, own, 1) for part, own in parts]))
        first += len(d)
    precision, recall = float(seen.float().mean()), float(torch.cat(reached).float().mean())
    error = recall_error(torch.cat(by_group, 1), len(r)) if within else None
    return {
        "precision": Measured(precision, of_share(precision, len(f)), BINOMIAL),
        "recall": Measured(recall, error, "random groups", GROUPS),
    }


def recall_error(reached: Tensor, count: int) -> float:
    """Recall's standard error from which of some real samples each of G parts of the generated ones reaches, `(G, n)`.

    count: of all real samples. The variance over parts has two terms. Real samples close to each other are reached
    together; that one shrinks with 1 / G, for more samples have smaller balls. The other, of every real sample alone,
    shrinks with their number only.
    """
    reached = reached.double()
    alone = reached.var(0).mean()
    together = (reached.mean(1).var() - alone / reached.shape[1]).clamp_min(0) / len(reached)
    return float((together + alone / count).sqrt())


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
