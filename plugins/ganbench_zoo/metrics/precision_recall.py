"""Improved precision and recall.  Kynkäänniemi et al. 2019, arXiv:1904.06991.

    precision: the share of generated samples inside the real manifold
    recall:    the share of real samples inside the generated one

A manifold is the union of balls around its samples, each reaching to the k-th nearest neighbour (`neighborhood`). Both
are in [0, 1] and depend on the number of samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganbench import Column, Metric, Recipe, UsageError, hookimpl


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` of both sides to precision and recall; distances are held for `block` rows at a time."""
    from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

    sides = [side["features"].float().to(device) for side in (fake, real)]
    k = int(params["neighborhood"])
    if (fewest := min(map(len, sides))) <= k:
        raise UsageError(f"{k} nearest neighbours among {fewest} samples")
    result = prc_features_to_metric(
        *sides, prc_neighborhood=k, prc_batch_size=int(params["block"]), save_cpu_ram=True, verbose=False
    )
    return {"precision": float(result[KEY_METRIC_PRECISION]), "recall": float(result[KEY_METRIC_RECALL])}


@hookimpl
def ganbench_metrics():
    yield Metric(
        "precision-recall",
        ("features",),
        compute,
        (Column("precision", "higher", positive=False), Column("recall", "higher", positive=False)),
        Recipe(neighborhood=3, samples=10_000, block=1_000),
        paper="arXiv:1904.06991",
    )
