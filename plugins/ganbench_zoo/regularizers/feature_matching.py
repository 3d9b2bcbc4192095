"""Feature matching.  Salimans, Goodfellow, Zaremba, Cheung, Radford & Chen 2016, arXiv:1606.03498, section 3.1.

    L_G + λ ‖E[f(x)] - E[f(G(z))]‖₂²,    λ = 1

with f D's features and the averages of a batch. In the paper this term takes the place of L_G; as a regularizer it is
added to it, and `feature-matching.weight` says how much it counts beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, hookimpl


def generator(D: Any, real: Batch, fake: Batch) -> Tensor:
    """Squared distance of the mean features of both sides, a scalar."""
    return (D.answer(real).features.mean(0) - D.answer(fake).features.mean(0)).square().sum()


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Feature matching."""
    yield Regularizer(
        "feature-matching",
        generator=generator,
        requires=("features",),
        recipe=Recipe({"feature-matching.weight": 1.0}),
        couples_samples=True,
        paper="arXiv:1606.03498",
    )
