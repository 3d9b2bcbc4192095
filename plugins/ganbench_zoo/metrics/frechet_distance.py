"""Fréchet distance between Gaussians fitted to features.  Heusel et al. 2017, arXiv:1706.08500.

    d² = |μ_r - μ_f|² + Tr(Σ_r + Σ_f - 2 (Σ_r Σ_f)^½)

With Inception's 2048 features and its official weights this is the FID; with any other extractor it has another name.
Few samples bias it upwards, so that only values from the same number of samples compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganbench import Column, Metric, hookimpl


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` of both sides to the distance, at least 0; covariances with N - 1, in double precision."""
    from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

    sides = (fid_features_to_statistics(side["features"].float()) for side in (fake, real))
    distance = fid_statistics_to_metric(*sides, verbose=False)[KEY_METRIC_FID]
    return {"fd": max(float(distance), 0.0)}  # rounding gives a distance of 0 either sign


@hookimpl
def ganbench_metrics():
    yield Metric("frechet-distance", ("features",), compute, (Column("fd", "lower"),), paper="arXiv:1706.08500")
