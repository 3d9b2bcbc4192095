"""The relativistic average loss.  Jolicoeur-Martineau 2018, arXiv:1807.00734 (RaSGAN).

    L_D = -E[log σ(a)] - E[log(1 - σ(b))]        a = D(x) - E[D(G(z))],    b = D(G(z)) - E[D(x)]
    L_G = -E[log σ(b)] - E[log(1 - σ(a))]

The inner averages are the batch's, so that each value depends on the whole batch: a batch in chunks has another loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch.nn.functional as F
from torch import Tensor

from ganbench import Batch, Loss, hookimpl


def discriminator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch) -> Tensor:
    """Cross entropy of both labels, each logit relative to the other side's mean, `(B,)`."""
    a, b = D(real) - D(fake).mean(), D(fake) - D(real).mean()
    return F.softplus(-a) + F.softplus(b)


def generator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch) -> Tensor:
    """The same with the labels exchanged, `(B,)`."""
    a, b = D(real) - D(fake).mean(), D(fake) - D(real).mean()
    return F.softplus(-b) + F.softplus(a)


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    """The relativistic average loss."""
    yield Loss("relativistic-average", discriminator, generator, couples_samples=True, paper="arXiv:1807.00734")
