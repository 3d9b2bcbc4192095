"""Drift, which keeps a critic's answers near 0.  Karras et al. 2018, arXiv:1710.10196, appendix A.1.

    ε E[D(x)²],    ε = 0.001

A Wasserstein critic's loss knows differences of answers only, so that their level wanders; here it costs something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, hookimpl


def discriminator(D: Callable[[Batch], Tensor], real: Batch) -> Tensor:
    """The squared answers to real samples, `(B,)`."""
    return D(real).square()


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Drift."""
    yield Regularizer("drift", discriminator, recipe=Recipe({"drift.weight": 0.001}), paper="arXiv:1710.10196")
