"""Fréchet distance between Gaussians fitted to features.  Heusel et al. 2017, arXiv:1706.08500.

    d² = |μ_r - μ_f|² + Tr(Σ_r + Σ_f - 2 (Σ_r Σ_f)^½)

With Inception's 2048 features and its official weights this is the FID; with any other extractor it has another name.
It is what torch-fidelity computes, by symmetric eigenvalues (`layers/frechet.py`), and the real half is kept for the
next generator. Few samples bias it upwards, so that only values from the same number of samples compare. It sees means
and covariances and nothing else: no copies, and no difference that a Gaussian does not have.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganbench import Caution, Column, Measured, Metric, hookimpl
from ganbench_zoo.layers.frechet import Half, contributions, distance, half
from ganbench_zoo.layers.sampling import FIRST_ORDER, of_mean

KEPT = 4
"""Real halves kept in a process: test and val under two extractors."""

_halves: OrderedDict[tuple[str, str], Half] = OrderedDict()


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` of both sides to the distance, at least 0."""
    sides = {"real": real["features"].float(), "generated": fake["features"].float()}
    for word, x in sides.items():
        if len(x) <= x.shape[1]:
            said = f"{len(x)} {word} samples for {x.shape[1]} features: the covariance is rank-deficient"
            warnings.warn(Caution(said), stacklevel=2)
    real_half, made = _half(sides["real"], device), sides["generated"]
    value = distance(real_half, made, device)
    if len(made) <= made.shape[1]:
        return {"fd": value}  # its gradient is not defined there
    return {"fd": Measured(value, of_mean(contributions(real_half, made, device)), FIRST_ORDER)}


def _half(features: Tensor, device: str) -> Half:
    """The real side's part, made once for these features."""
    content = hashlib.sha256(features.contiguous().numpy().data).hexdigest()
    key = f"{content} {tuple(features.shape)}", device
    if key not in _halves:
        _halves[key] = half(features, device)
        while len(_halves) > KEPT:
            _halves.popitem(last=False)
    return _halves[key]


@hookimpl
def ganbench_metrics():
    yield Metric("frechet-distance", ("features",), compute, (Column("fd", "lower"),), paper="arXiv:1706.08500")
