"""Boundary-seeking GAN, for continuous data.  Hjelm et al. 2018, arXiv:1702.08431, section 4.

    L_D = -E[log d(x)] - E[log(1 - d(G(z)))]        L_G = ½ E[(log d(G(z)) - log(1 - d(G(z))))²] = ½ E[D(G(z))²]

with D's logit D(x) and d(x) = σ(D(x)).
G seeks the boundary where D cannot tell (a logit of 0), and so does not run past it when D is behind.
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
    """Half of the squared logits of generated samples, `(B,)`."""
    return D(fake).square() / 2


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    yield Loss("boundary-seeking", discriminator, generator, paper="arXiv:1702.08431")
