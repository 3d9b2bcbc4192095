"""R2, the zero-centred gradient penalty on generated samples.  Mescheder et al. 2018, arXiv:1801.04406, eq. 10.

    γ/2 E[‖∇D(G(z))‖²],    γ = 10

The counterpart of `r1`, and with it and the loss `relativistic` the objective of R3GAN (Huang et al. 2024,
arXiv:2501.05441). The gradient's rows belong to single samples only where D answers each sample on its own: hence the
required trait. `r2.weight` is γ; `r2.every=16` makes it lazy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, hookimpl


def discriminator(D: Any, fake: Batch) -> Tensor:
    """Half the squared norm of D's gradient at each generated sample, `(B,)`."""
    return D.slope(fake).flatten(1).square().sum(1) / 2


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """R2."""
    yield Regularizer(
        "r2", discriminator, requires=("per-sample-D",), recipe=Recipe({"r2.weight": 10.0}), paper="arXiv:1801.04406"
    )
