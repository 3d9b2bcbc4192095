"""Kernel distance: the unbiased squared MMD with a polynomial kernel.  Bińkowski et al. 2018, arXiv:1801.01401.

    k(a, b) = (γ ⟨a, b⟩ + c)^degree, γ = 1 / width unless given; the mean over `subsets` of `subset_size` samples each

Unbiased: it may be slightly negative where both sides are alike. The spread over subsets of one generator says nothing
about another training seed and is not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganbench import Column, Metric, Recipe, UsageError, hookimpl


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` of both sides to the distance. A `gamma` of 0 stands for 1 / width."""
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

    sides = fake["features"].float(), real["features"].float()
    size = int(params["subset_size"])
    if (fewest := min(map(len, sides))) < size:
        raise UsageError(f"subsets of {size} from {fewest} samples")
    result = kid_features_to_metric(
        *sides,
        kid_subsets=int(params["subsets"]),
        kid_subset_size=size,
        kid_kernel="poly",
        kid_kernel_poly_degree=int(params["degree"]),
        kid_kernel_poly_gamma=float(params["gamma"]) or None,
        kid_kernel_poly_coef0=float(params["coef0"]),
        rng_seed=int(params["seed"]),
        verbose=False,
    )
    return {"kid": float(result[KEY_METRIC_KID_MEAN])}


@hookimpl
def ganbench_metrics():
    yield Metric(
        "kid",
        ("features",),
        compute,
        (Column("kid", "lower", positive=False),),
        Recipe(subsets=100, subset_size=1000, degree=3, gamma=0.0, coef0=1.0, seed=2020),
        paper="arXiv:1801.01401",
    )
