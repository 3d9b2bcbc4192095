"""The pulling-away term of EBGAN-PT.  Zhao, Mathieu & LeCun 2017, arXiv:1609.03126, section 2.4.

    L_G + λ / (B (B - 1)) · Σ_{i ≠ j} cos²(f(G(zᵢ)), f(G(zⱼ))),    λ = 0.1

with f D's features, an autoencoder's code: samples of a batch are told to point in different directions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, hookimpl


def generator(D: Any, fake: Batch) -> Tensor:
    """The mean squared cosine of two different samples' features, a scalar."""
    features = F.normalize(D.answer(fake).features)
    count = len(features)
    return ((features @ features.T).square().sum() - count) / (count * (count - 1))


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """The pulling-away term."""
    yield Regularizer(
        "pulling-away",
        generator=generator,
        requires=("features",),
        recipe=Recipe({"pulling-away.weight": 0.1}),
        couples_samples=True,
        paper="arXiv:1609.03126",
    )
