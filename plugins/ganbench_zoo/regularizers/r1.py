"""R1, the zero-centred gradient penalty on real samples.  Mescheder, Geiger & Nowozin 2018, arXiv:1801.04406, eq. 9.

    γ/2 E[‖∇D(x)‖²],    γ = 10

The gradient is that of the sum of logits, so its row i is ∇D(xᵢ) only where D answers each sample on its own: hence the
required trait. `r1.weight` is γ; `r1.every=16` makes it lazy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, hookimpl


def discriminator(D: Any, real: Batch) -> Tensor:
    """Half the squared norm of D's gradient at each real sample, `(B,)`."""
    return D.slope(real).flatten(1).square().sum(1) / 2


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """R1."""
    yield Regularizer(
        "r1", discriminator, requires=("per-sample-D",), recipe=Recipe({"r1.weight": 10.0}), paper="arXiv:1801.04406"
    )
