"""The relativistic average hinge loss.  Jolicoeur-Martineau 2018, arXiv:1807.00734 (RaHingeGAN).

    L_D = E[max(0, 1 - a)] + E[max(0, 1 + b)]        a = D(x) - E[D(G(z))],    b = D(G(z)) - E[D(x)]
    L_G = E[max(0, 1 - b)] + E[max(0, 1 + a)]

The inner averages are the batch's, so that each value depends on the whole batch: a batch in chunks has another loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from torch import Tensor

from ganbench import Batch, Loss, hookimpl


def discriminator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch) -> Tensor:
    """How far logits, relative to the other side's mean, lie on the wrong side of 1 (real) and -1 (fake), `(B,)`."""
    a, b = D(real) - D(fake).mean(), D(fake) - D(real).mean()
    return F.relu(1 - a) + F.relu(1 + b)


def generator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch) -> Tensor:
    """The same with the margins exchanged, `(B,)`."""
    a, b = D(real) - D(fake).mean(), D(fake) - D(real).mean()
    return F.relu(1 - b) + F.relu(1 + a)


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    """The relativistic average hinge loss."""
    yield Loss("relativistic-average-hinge", discriminator, generator, couples_samples=True, paper="arXiv:1807.00734")
