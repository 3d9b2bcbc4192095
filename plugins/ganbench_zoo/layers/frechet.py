"""The Fréchet distance between two Gaussians, by symmetric eigenvalues.

    d² = |μ_r - μ_f|² + Tr(Σ_r + Σ_f) - 2 Σ_i √λ_i,    λ_i the eigenvalues of Hᵀ Σ_f H,    Σ_r = H Hᵀ

Hᵀ Σ_f H is symmetric and has the eigenvalues of Σ_r Σ_f. Covariances with N - 1, in double precision.

To first order, a generated sample x = μ_f + c contributes 2 (μ_f - μ_r)·c + |c|² - |(Hᵀ Σ_f H)^-¼ Hᵀ c|²: the gradient
of d² (I - T is that by Σ_f, T the optimal transport's matrix) along the point's share of mean and covariance.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

SMALLEST, CHUNK = 1e-12, 4_000
"""Share of the largest eigenvalue below which one is 0 but for rounding; samples centred at a time."""


@dataclass(frozen=True, eq=False)
class Half:
    """The real side's part. mean `(width,)`, trace of the covariance, and a factor H `(width, rank)` of it."""

    mean: Tensor
    trace: Tensor
    factor: Tensor


def half(features: Tensor, device: str) -> Half:
    """What the real features `(N, width)` contribute, whatever they are compared with."""
    mean, covariance = _moments(features, device)
    values, vectors = torch.linalg.eigh(covariance)
    rank = min(len(features) - 1, len(values))  # the others are 0 but for rounding, which a root magnifies
    return Half(mean, covariance.trace(), (vectors * values.clamp_min(0).sqrt())[:, len(values) - rank :])


def distance(real: Half, features: Tensor, device: str) -> float:
    """The squared distance d² from generated features `(N, width)`, at least 0."""
    mean, covariance = _moments(features, device)
    product = real.factor.T @ covariance @ real.factor
    rank = min(len(features) - 1, len(product))
    eigenvalues = torch.linalg.eigvalsh(product)[len(product) - rank :].clamp_min(0)
    squared = (real.mean - mean).square().sum() + real.trace + covariance.trace() - 2 * eigenvalues.sqrt().sum()
    return max(float(squared), 0.0)  # rounding gives a distance of 0 either sign


def contributions(real: Half, features: Tensor, device: str) -> Tensor:
    """What each generated sample contributes to the squared distance, but for a constant: `(N,)`."""
    mean, covariance = _moments(features, device)
    values, vectors = torch.linalg.eigh(real.factor.T @ covariance @ real.factor)
    rank = min(len(features) - 1, int((values > values[-1] * SMALLEST).sum()))
    values, vectors = values[len(values) - rank :], vectors[:, len(values) - rank :]
    moved = real.factor @ (vectors * values**-0.25)
    linear, parts = 2 * (mean - real.mean), []
    for some in features.split(CHUNK):
        c = some.to(device, torch.float64) - mean
        parts.append(c @ linear + c.square().sum(1) - (c @ moved).square().sum(1))
    return torch.cat(parts)


def _moments(features: Tensor, device: str) -> tuple[Tensor, Tensor]:
    """Mean `(width,)` and covariance `(width, width)`."""
    x = features.to(device, torch.float64)
    mean = x.mean(0)
    x = x - mean
    return mean, x.T @ x / (len(x) - 1)
