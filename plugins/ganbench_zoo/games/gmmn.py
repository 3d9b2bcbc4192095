"""GMMN, generative moment matching network.  Li, Swersky & Zemel 2015, arXiv:1502.02761.

One player and no discriminator: G minimises the maximum mean discrepancy between a batch of its samples and a real one,

    L_G = √(MMD²),    MMD² = E[k(x, x')] - 2 E[k(x, G(z))] + E[k(G(z), G(z'))]

over all pairs of the batch, a sample with itself among them, with a mixture of Gaussian kernels (eq. 5)

    k(a, b) = Σ_σ exp(-‖a - b‖² / 2σ)

G is fully connected with ReLUs, z uniform in [-1, 1], as in the paper, batches of 1,000 too. `bandwidths` are the σ, in
squared units of samples that are scaled to [0, 1] (unbounded ones stay as they are); the defaults are for MNIST. Adam
is ours, where the paper has momentum with rates found by search. The autoencoder of its second model is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from ganbench import Batch, Game, GameBuilder, Recipe, SampleSpec, Turn, hookimpl
from ganbench_zoo.layers.outputs import output_activation


def generator(spec: SampleSpec, recipe: Recipe) -> nn.Module:
    """Latents `(B, latent)` to samples `(B, *spec.shape)` in `spec.range`."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise((recipe["latent"], *recipe["hidden"])):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    last = nn.Linear(recipe["hidden"][-1], math.prod(spec.shape))
    return nn.Sequential(*layers, last, output_activation(spec.range), nn.Unflatten(1, spec.shape))


def squared_discrepancy(real: Tensor, fake: Tensor, bandwidths: tuple[float, ...]) -> Tensor:
    """MMD² of samples `(N, n)` and `(M, n)`, a scalar, 0 or more."""
    both = torch.cat([real, fake])
    squares = both.square().sum(1)
    distances = (squares[:, None] + squares - 2 * both @ both.T).clamp(min=0)
    kernel = torch.stack([(distances / (-2 * sigma)).exp() for sigma in bandwidths]).sum(0)
    weights = torch.cat([torch.full_like(real[:, 0], 1 / len(real)), torch.full_like(fake[:, 0], -1 / len(fake))])
    return weights @ kernel @ weights


def build(spec: SampleSpec, recipe: Recipe) -> Game:
    """The game of one player."""

    def scaled(x: Tensor) -> Tensor:
        low, high = spec.range or (0.0, 1.0)
        return (x.flatten(1) - low) / (high - low)

    def discrepancy(G: Any, real: Any, latents: Batch) -> dict[str, Tensor]:
        squared = squared_discrepancy(scaled(real.x), scaled(G.make(latents).x), recipe["bandwidths"])
        return {"mmd": squared.clamp(min=1e-8).sqrt()}  # a root has no slope at 0

    def sample(G: Any, latents: Batch) -> Batch:
        made: Batch = G.make(latents)
        return made

    return Game({"G": lambda: generator(spec, recipe)}, (Turn("G", ("G",), discrepancy),), sample)


@hookimpl
def ganbench_games() -> Iterator[GameBuilder]:
    """The gmmn."""
    yield GameBuilder(
        "gmmn",
        build,
        recipe=Recipe(
            hidden=(64, 256, 256, 1024),
            bandwidths=(2.0, 5.0, 10.0, 20.0, 40.0, 80.0),
            latent=10,
            prior="uniform",
            batch_size=1000,
            lr=1e-3,
        ),
        paper="arXiv:1502.02761",
    )
