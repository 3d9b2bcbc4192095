"""R1 where D's answers know of each other, every 16 steps.  Karras et al. 2020, arXiv:1912.04958, section 3.1.

    γ/2 E[‖∂/∂x_i Σ_j D(x_j)‖²],    γ = 10 for 1024×1024 pixels, in every 16th step of D, there 16 times

The penalty of `r1` (Mescheder et al. 2018, arXiv:1801.04406) as StyleGAN2 takes it: minibatch standard deviation makes
a sample part of the others' answers, so that its gradient is that of the sum, and no sample's own. `r1-coupled.weight`
is γ; that it goes with the number of pixels over the batch size, γ = 0.0002 N / M, is StyleGAN2-ADA's rule of thumb
(arXiv:2006.06676).

Here the penalty is a term of the same step as the loss; the authors give it an Adam step of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, hookimpl


def discriminator(D: Any, real: Batch) -> Tensor:
    """Half the squared norm of the gradient of all answers at each real sample, `(B,)`."""
    return D.slope(real).flatten(1).square().sum(1) / 2


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Lazy R1 of a D with batch statistics."""
    yield Regularizer(
        "r1-coupled",
        discriminator,
        every=16,
        recipe=Recipe({"r1-coupled.weight": 10.0}),
        couples_samples=True,
        paper="arXiv:1912.04958",
    )
