"""The non-saturating loss.  Goodfellow et al. 2014, arXiv:1406.2661, section 3.

L_D = -E[log σ(D(x))] - E[log(1 - σ(D(G(z))))]        L_G = -E[log σ(D(G(z)))]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from torch import Tensor

from ganbench import Batch, Loss, hookimpl


def discriminator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch) -> Tensor:
    """Cross entropy of both labels, `(B,)`; `-log σ(l)` is softplus(-l)."""
    return F.softplus(-D(real)) + F.softplus(D(fake))


def generator(D: Callable[[Batch], Tensor], fake: Batch) -> Tensor:
    """Cross entropy of generated samples labelled as real, `(B,)`."""
    return F.softplus(-D(fake))


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    """The non-saturating loss."""
    yield Loss("non-saturating", discriminator, generator, paper="arXiv:1406.2661")
