"""Gradient penalty.  Gulrajani et al. 2017, arXiv:1704.00028, eq. 3.

    λ E[(‖∇D(x̂)‖₂ - 1)²],    x̂ = ε x + (1 - ε) G(z),    ε ~ U(0, 1) for each sample,    λ = 10

`gradient-penalty.one-sided=true` penalises norms above 1 only: max(0, ‖∇D(x̂)‖₂ - 1)². In a run with labels x̂ carries
the real sample's. The norm is a sample's own only where D answers each sample on its own, hence the required trait.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, hookimpl


def interpolate(real: Tensor, fake: Tensor) -> Tensor:
    """A random point on the segment between each real sample and a generated one, `(B, …)`."""
    epsilon = torch.rand((len(real), *(1,) * (real.ndim - 1)), dtype=real.dtype, device=real.device)
    return torch.lerp(fake, real, epsilon)


def discriminator(D: Any, real: Batch, fake: Batch, recipe: Recipe) -> Tensor:
    """Squared distance of D's slope from 1 between real and generated samples, `(B,)`."""
    mixed = real.but(x=interpolate(real.get("x"), fake.get("x")), origin="mixed")
    excess = D.slope(mixed).flatten(1).norm(dim=1) - 1
    return (F.relu(excess) if recipe["gradient-penalty.one-sided"] else excess).square()


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """The gradient penalty."""
    yield Regularizer(
        "gradient-penalty",
        discriminator,
        requires=("per-sample-D",),
        recipe=Recipe({"gradient-penalty.weight": 10.0, "gradient-penalty.one-sided": False}),
        paper="arXiv:1704.00028",
    )
