"""Hinge loss.  Lim & Ye 2017, arXiv:1705.02894.

L_D = E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]        L_G = -E[D(G(z))]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from torch import Tensor

from ganbench import Batch, Loss, hookimpl


def discriminator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch) -> Tensor:
    """How far logits lie on the wrong side of the margins 1 (real) and -1 (fake), `(B,)`."""
    return F.relu(1 - D(real)) + F.relu(1 + D(fake))


def generator(D: Callable[[Batch], Tensor], fake: Batch) -> Tensor:
    """The negated logit, `(B,)`."""
    return -D(fake)


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    """The hinge loss."""
    yield Loss("hinge", discriminator, generator, paper="arXiv:1705.02894")
