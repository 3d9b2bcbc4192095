"""Latent consistency regularization, zCR.  Zhao, Singh, Lee, Zhang, Odena & Zhang 2021, arXiv:2002.04724.

    L_D + λ_dis E[(D(G(z)) - D(G(z + ε)))²]        L_G - λ_gen E[‖G(z) - G(z + ε)‖²]        ε ~ N(0, σ² I)

with σ = 0.03, λ_dis = 5, λ_gen = 0.5: near latents shall make samples that differ, and that D takes for equally real.
The squared norm of a sample is the mean over its values, so that a weight means the same for every size. With `bcr` it
is the paper's ICR-GAN.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, hookimpl


def nearby(G: Any, latents: Batch, sigma: float) -> Batch:
    """Samples from latents near these."""
    z = latents.get("z")
    made: Batch = G.make(latents.but(z=z + sigma * torch.randn_like(z)))
    return made.but(origin="view")


def discriminator(D: Any, G: Any, fake: Batch, latents: Batch, recipe: Recipe) -> Tensor:
    """Squared differences of D's logits of samples from near latents, `(B,)`."""
    return recipe["zcr.discriminator"] * (D(fake) - D(nearby(G, latents, recipe["zcr.sigma"]))).square()


def generator(G: Any, fake: Batch, latents: Batch, recipe: Recipe) -> Tensor:
    """Minus the mean squared difference of samples from near latents, `(B,)`."""
    difference = fake.get("x") - nearby(G, latents, recipe["zcr.sigma"]).get("x")
    return -recipe["zcr.generator"] * difference.flatten(1).square().mean(1)


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Consistency of D, and diversity of G, around latents."""
    yield Regularizer(
        "zcr",
        discriminator,
        generator,
        recipe=Recipe({"zcr.sigma": 0.03, "zcr.discriminator": 5.0, "zcr.generator": 0.5}),
        paper="arXiv:2002.04724",
    )
