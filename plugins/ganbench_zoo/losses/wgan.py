"""Wasserstein GAN.  Arjovsky, Chintala & Bottou 2017, arXiv:1701.07875, algorithm 1.

    L_D = E[D(G(z))] - E[D(x)]        L_G = -E[D(G(z))]

D is kept Lipschitz by `weight-clipping`, which comes along. RMSprop, learning rate 5·10⁻⁵, five critic steps for each
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
    """The Wasserstein loss with weight clipping."""
    yield Loss(
        "wgan",
        discriminator,
        generator,
        brings=("weight-clipping",),
        recipe=Recipe(optimizer="rmsprop", lr=5e-5, d_steps=5),
        paper="arXiv:1701.07875",
    )
