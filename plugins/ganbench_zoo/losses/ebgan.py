"""EBGAN, energy-based GAN.  Zhao, Mathieu & LeCun 2017, arXiv:1609.03126, eqs. 1 and 2.

    L_D = E[D(x)] + E[max(0, m - D(G(z)))]        L_G = E[D(G(z))]

with D(·) the energy of an autoencoding discriminator and m the margin, above which D leaves generated samples alone.
The energy is a mean over a sample's values here, so `ebgan.margin` is in that unit, and its default ours: a little
above the energy that real digits come to have. EBGAN-PT adds the regularizer `pulling-away`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ganbench import Batch, Loss, Recipe, hookimpl


def discriminator(D: Any, real: Batch, fake: Batch, recipe: Recipe) -> Tensor:
    """Real energies, and how far generated ones lie below the margin, `(B,)`."""
    return D.answer(real).energy + F.relu(recipe["ebgan.margin"] - D.answer(fake).energy)


def generator(D: Any, fake: Batch) -> Tensor:
    """The energy, `(B,)`."""
    return D.answer(fake).energy


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    """The energy-based loss."""
    yield Loss(
        "ebgan",
        discriminator,
        generator,
        requires=("energy",),
        recipe=Recipe({"ebgan.margin": 0.05, "energy": "squared"}),
        paper="arXiv:1609.03126",
    )
