"""The relativistic loss in pairs.  Jolicoeur-Martineau 2018, arXiv:1807.00734 (RSGAN).

    L_D = -E[log σ(D(x) - D(G(z)))]        L_G = -E[log σ(D(G(z)) - D(x))]

Each real sample is paired with one generated sample, and only differences of logits count: an offset of D's output gets
no gradient. R3GAN (Huang et al. 2024, arXiv:2501.05441) trains this loss with the zero-centred penalties `r1` and `r2`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from torch import Tensor

from ganbench import Batch, Loss, hookimpl


def discriminator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch) -> Tensor:
    """Cross entropy of `the real one of the pair looks more real`, `(B,)`; `-log σ(l)` is softplus(-l)."""
    return F.softplus(D(fake) - D(real))


def generator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch) -> Tensor:
    """Cross entropy of `the generated one of the pair looks more real`, `(B,)`."""
    return F.softplus(D(real) - D(fake))


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    """The paired relativistic loss."""
    yield Loss("relativistic", discriminator, generator, paper="arXiv:1807.00734")
