"""Penalties, both sides of a loss, per-sample values, inner layers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench import Loss, Regularizer, SampleSpec

from .base import NON_SATURATING, WASSERSTEIN, Discriminator, StandIn


def _gp(D: Any, real: Any, fake: Any) -> Tensor:
    share = torch.rand(len(real.x), *[1] * (real.x.ndim - 1), device=real.x.device)
    mixed = real.but(x=torch.lerp(fake.x.detach(), real.x, share), origin="mixed")
    return (D.slope(mixed).flatten(1).norm(dim=1) - 1).square()


def _dragan(D: Any, real: Any) -> Tensor:
    near = real.but(x=real.x + 0.5 * real.x.std() * torch.rand_like(real.x), origin="mixed")
    return (D.slope(near).flatten(1).norm(dim=1) - 1).square()


GRADIENT_PENALTY = Regularizer("gp", _gp, requires=("per-sample-D",), recipe={"gp.weight": 10.0})
DRAGAN = Regularizer("dragan", _dragan, recipe={"dragan.weight": 10.0})
R1 = Regularizer("r1", lambda D, real: D.slope(real).flatten(1).square().sum(1))
R2 = Regularizer("r2", lambda D, fake: D.slope(fake).flatten(1).square().sum(1))
RELATIVISTIC = Loss(
    "relativistic",
    lambda D, real, fake: F.softplus(D(fake) - D(real)),
    lambda D, real, fake: F.softplus(D(real) - D(fake)),
)


class TopK(nn.Module):
    """Sinha et al. 2020, arXiv:2002.06224: G learns from the best share of its samples, from all of them to half."""

    def __init__(self, spec: SampleSpec, recipe: Any) -> None:
        super().__init__()

    def weigh(self, turn: str, name: str, values: Tensor, progress: Tensor) -> Tensor:
        if turn != "G" or values.ndim == 0:
            return values
        kept = len(values) * (1 - 0.5 * progress)
        return torch.where(values.argsort().argsort() < kept, values * len(values) / kept, 0.0)


class SampleWeights(nn.Module):
    """Each real sample's loss is weighed by where it lies."""

    def __init__(self, spec: SampleSpec, recipe: Any) -> None:
        super().__init__()

    def weigh(self, turn: str, name: str, values: Tensor, real: Any) -> Tensor:
        return values if turn != "D" else values * torch.exp(-real.x.flatten(1).square().mean(1))


class Perceptual(nn.Module):
    """A fixed network that a term looks through, as LPIPS does."""

    def __init__(self, spec: SampleSpec, recipe: Any) -> None:
        super().__init__()
        self.net = Discriminator(spec, recipe).requires_grad_(False)


def _matching(D: Any, real: Any, fake: Any) -> Tensor:
    return (D.answer(real).features.detach().mean(0) - D.answer(fake).features.mean(0)).square().sum()


def _perceptual(own: Any, real: Any, fake: Any) -> Tensor:
    return (own.net(real.x).features - own.net(fake.x).features).square().mean(1)


TOP_K = Regularizer("top-k", build=TopK, couples_samples=True)
WEIGHTS = Regularizer("sample-weights", build=SampleWeights)
FEATURE_MATCHING = Regularizer("feature-matching", generator=_matching, requires=("features",), couples_samples=True)
PERCEPTUAL = Regularizer("perceptual", generator=_perceptual, build=Perceptual)

CASES = [
    StandIn("wgan-gp", WASSERSTEIN, (GRADIENT_PENALTY,), settings={"d_steps": 2, "betas": (0.0, 0.9)}),
    StandIn("dragan", others=(DRAGAN,)),
    StandIn("r1", others=(R1,)),
    StandIn("r2", others=(R2,)),
    StandIn("r1-lazy", others=(R1,), settings={"r1.every": 4}),
    StandIn("relativistic", RELATIVISTIC),
    StandIn("top-k", others=(TOP_K,)),
    StandIn("sample-weights", others=(WEIGHTS,)),
    StandIn("accumulation", NON_SATURATING, (R1,), settings={"accumulate": 4}),
    StandIn("feature-matching", others=(FEATURE_MATCHING,)),
    StandIn("perceptual", others=(PERCEPTUAL,)),
]
