"""Wasserstein GAN with gradient penalty.  Gulrajani et al. 2017, arXiv:1704.00028, algorithm 1.

    L_D = E[D(G(z))] - E[D(x)] + λ E[(‖∇D(x̂)‖₂ - 1)²]        L_G = -E[D(G(z))]

The last term of L_D is the component `gradient-penalty`, which comes along. It needs a D that answers each sample on
its own, hence the wish for a layer norm. Adam with learning rate 10⁻⁴ and β = (0, 0.9), five critic steps for each
generator step, as published; the batch size stays the architecture's (the paper: 64).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from ganbench import Batch, Loss, Recipe, hookimpl


def discriminator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch) -> Tensor:
    """Minus the critic's estimate of the Wasserstein distance, `(B,)`."""
    return D(fake) - D(real)


def generator(D: Callable[[Batch], Tensor], fake: Batch) -> Tensor:
    """The negated critic value, `(B,)`."""
    return -D(fake)


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    """The Wasserstein loss with gradient penalty."""
    yield Loss(
        "wgan-gp",
        discriminator,
        generator,
        brings=("gradient-penalty",),
        requires=("per-sample-D",),
        recipe=Recipe(optimizer="adam", lr=1e-4, betas=(0.0, 0.9), d_steps=5, norm_D="layer"),
        paper="arXiv:1704.00028",
    )
