"""Kernel distance: the unbiased squared MMD with a polynomial kernel.  Bińkowski et al. 2018, arXiv:1801.01401.

    k(a, b) = (γ ⟨a, b⟩ + c)^degree, γ = 1 / width unless given; the mean over `subsets` of `subset_size` samples each

Unbiased: it may be slightly negative where both sides are alike. The spread over subsets is neither the error of the
score nor that of another training seed, and is not given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Measured, Metric, Recipe, UsageError, hookimpl

ROWS = 500
"""Generated samples whose rows of the kernel's matrix give the error."""


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
    return {"kid": Measured(float(result[KEY_METRIC_KID_MEAN]), error(*sides, params), "first and second order")}


def error(fake: Tensor, real: Tensor, params: Mapping[str, Any]) -> float | None:
    """The standard error over generated samples, after Hoeffding 1948, doi:10.1214/aoms/1177730196.

    With n samples, S subsets of m each, and h(x) = E k(x, y) - E k(x, r) over generated y and real r, the variance is
    that of h times 4 / n, and the kernel's beyond the means of rows and columns, among generated samples and between
    them and real ones, which is what is left where both sides are alike. Each grows by what S subsets leave out.
    """
    n, m, subsets = len(fake), int(params["subset_size"]), int(params["subsets"])
    some = fake[:ROWS]
    if len(some) < 3:
        return None
    gamma, coef0, degree = float(params["gamma"]) or 1 / fake.shape[1], float(params["coef0"]), int(params["degree"])

    def kernel(others: Tensor) -> Tensor:
        return (some @ others.T).mul_(gamma).add_(coef0).pow_(degree)

    def square(matrix: Tensor, count: int) -> float:
        return float(torch.dot(matrix.view(-1), matrix.view(-1))) / count

    among, across = kernel(fake), kernel(real)
    among.diagonal().zero_()
    own, other, column = among.sum(1) / (n - 1), across.mean(1), across.mean(0)
    between = max(square(among, len(some) * (n - 1)) - float(own.mean()) ** 2 - 2 * float(own.var()), 0.0)
    spread = square(across, across.numel()) - float(column.mean()) ** 2
    beyond = max(spread - float(other.var()) - float(column.var()), 0.0)
    first = max(float((own - other).var()) - between / n, 0.0)
    pairs, drawn = n * (n - 1), m * (m - 1)
    return (
        float(
            4 * first / n * (1 + (n / m - 1) / subsets)
            + 2 * between / pairs * (1 + (pairs / drawn - 1) / subsets)
            + 4 * beyond * (1 - m / len(real)) / (subsets * m * m)
        )
        ** 0.5
    )


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
