"""Least squares.  Mao et al. 2017, arXiv:1611.04076, eq. 9.

    L_D = ½ E[(D(x) - b)²] + ½ E[(D(G(z)) - a)²]        L_G = ½ E[(D(G(z)) - c)²]

with the labels a = 0, b = c = 1 of the paper's 0-1 coding. (a, b, c) = (-1, 1, 0) gives its eq. 8, Pearson's χ².
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from ganbench import Batch, Loss, Recipe, hookimpl


def discriminator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch, recipe: Recipe) -> Tensor:
    """Half the squared distances from the labels b (real) and a (fake), `(B,)`."""
    return ((D(real) - recipe["lsgan.b"]).square() + (D(fake) - recipe["lsgan.a"]).square()) / 2


def generator(D: Callable[[Batch], Tensor], fake: Batch, recipe: Recipe) -> Tensor:
    """Half the squared distance from the label c, `(B,)`."""
    return (D(fake) - recipe["lsgan.c"]).square() / 2


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    """The least-squares loss."""
    labels = Recipe({"lsgan.a": 0.0, "lsgan.b": 1.0, "lsgan.c": 1.0})
    yield Loss("lsgan", discriminator, generator, recipe=labels, paper="arXiv:1611.04076")
