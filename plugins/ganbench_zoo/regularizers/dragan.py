"""DRAGAN's gradient penalty around real samples.  Kodali, Abernethy, Hays & Kira 2017, arXiv:1705.07215.

    λ E[(‖∇D(x + δ)‖₂ - k)²],    δ ~ N(0, c I),    λ = 10, k = 1

The noise has to suit the range of the data: √c is `dragan.scale` = ½ times s, the standard deviation of all values of
the real batch, so that each value depends on the whole batch. ½ and s are the authors' code's, whose noise
`dragan.uniform=true` draws: δ = ½ s u, u ~ U(0, 1) for each value. The norm is a sample's own only where D answers each
sample on its own, hence the required trait.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, hookimpl


def perturb(x: Tensor, scale: float, uniform: bool) -> Tensor:
    """A random point near each sample, `(B, …)`, at a distance in units of the batch's standard deviation."""
    noise = torch.rand_like(x) if uniform else torch.randn_like(x)
    return x + scale * x.std() * noise


def discriminator(D: Any, real: Batch, recipe: Recipe) -> Tensor:
    """Squared distance of D's slope from k near real samples, `(B,)`."""
    x = perturb(real.get("x"), recipe["dragan.scale"], recipe["dragan.uniform"])
    return (D.slope(real.but(x=x, origin="mixed")).flatten(1).norm(dim=1) - recipe["dragan.k"]).square()


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """DRAGAN's penalty."""
    yield Regularizer(
        "dragan",
        discriminator,
        requires=("per-sample-D",),
        recipe=Recipe({"dragan.weight": 10.0, "dragan.k": 1.0, "dragan.scale": 0.5, "dragan.uniform": False}),
        couples_samples=True,
        paper="arXiv:1705.07215",
    )
