"""The minimax game.  Goodfellow et al. 2014, arXiv:1406.2661, eq. 1.

    L_D = -E[log σ(D(x))] - E[log(1 - σ(D(G(z))))]        L_G = E[log(1 - σ(D(G(z))))]

G's gradient vanishes where D is sure of itself; `non-saturating` is the form that the paper trains.
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
    """What D gains on generated samples, `(B,)`, in (-∞, 0)."""
    return -F.softplus(D(fake))


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    """The minimax loss."""
    yield Loss("minimax", discriminator, generator, paper="arXiv:1406.2661")
