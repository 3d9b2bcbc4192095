"""Fréchet distance between Gaussians fitted to features.  Heusel et al. 2017, arXiv:1706.08500.

    d² = |μ_r - μ_f|² + Tr(Σ_r + Σ_f) - 2 Σ_i √λ_i,    λ_i the eigenvalues of Hᵀ Σ_f H,    Σ_r = H Hᵀ

With Inception's 2048 features and its official weights this is the FID; with any other extractor it has another name.
Hᵀ Σ_f H is symmetric and has the eigenvalues of Σ_r Σ_f, so this is what torch-fidelity computes, without complex
numbers; the real half (μ_r, Σ_r, H) is kept for the next generator. Few samples bias the distance upwards, so that only
values from the same number of samples compare. It sees means and covariances and nothing else: neither copies nor what
a Gaussian cannot tell apart.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganbench import Caution, Column, Metric, hookimpl

KEPT = 4
"""Real halves kept in a process: test and val under two extractors."""


@dataclass(frozen=True, eq=False)
class Half:
    """mean `(width,)`, trace of the covariance, and a factor H `(width, rank)` of it."""

    mean: Tensor
    trace: Tensor
    factor: Tensor


_halves: OrderedDict[tuple[str, str], Half] = OrderedDict()


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` of both sides to the distance, at least 0; covariances with N - 1, in double precision."""
    sides = {"real": real["features"].float(), "generated": fake["features"].float()}
    for word, x in sides.items():
        if len(x) <= x.shape[1]:
            warnings.warn(
                Caution(f"{len(x)} {word} samples for {x.shape[1]} features: the covariance is rank-deficient"),
                stacklevel=2,
            )
    half = _half(sides["real"], device)
    mean, covariance = _moments(sides["generated"], device)
    product = half.factor.T @ covariance @ half.factor
    rank = min(len(sides["generated"]) - 1, len(product))
    eigenvalues = torch.linalg.eigvalsh(product)[len(product) - rank :].clamp_min(0)
    traces = half.trace + covariance.trace()
    distance = (half.mean - mean).square().sum() + traces - 2 * eigenvalues.sqrt().sum()
    return {"fd": max(float(distance), 0.0)}  # rounding gives a distance of 0 either sign


def _half(features: Tensor, device: str) -> Half:
    """The real side's part, made once for these features."""
    content = hashlib.sha256(features.contiguous().numpy().data).hexdigest()
    key = f"{content} {tuple(features.shape)}", device
    if key not in _halves:
        mean, covariance = _moments(features, device)
        values, vectors = torch.linalg.eigh(covariance)
        rank = min(len(features) - 1, len(values))  # the others are 0 but for rounding, which a root magnifies
        _halves[key] = Half(mean, covariance.trace(), (vectors * values.clamp_min(0).sqrt())[:, len(values) - rank :])
        while len(_halves) > KEPT:
            _halves.popitem(last=False)
    return _halves[key]


def _moments(features: Tensor, device: str) -> tuple[Tensor, Tensor]:
    """Mean `(width,)` and covariance `(width, width)`."""
    x = features.to(device, torch.float64)
    mean = x.mean(0)
    x = x - mean
    return mean, x.T @ x / (len(x) - 1)


@hookimpl
def ganbench_metrics():
    yield Metric("frechet-distance", ("features",), compute, (Column("fd", "lower"),), paper="arXiv:1706.08500")
