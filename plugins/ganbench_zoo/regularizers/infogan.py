"""InfoGAN.  Chen, Duan, Houthooft, Schulman, Sutskever & Abbeel 2016, arXiv:1606.03657, eqs. 5 and 6.

    min over G, Q   max over D   V(D, G) - λ L_I(G, Q),      L_I = E[log Q(c | G(z, c))] + H(c) ≤ I(c; G(z, c))

Codes c are drawn beside the noise: `infogan.categories` classes, equally likely, and `infogan.continuous` numbers from
U(-1, 1). They take the place of the first entries of z (the paper's input is noise and codes side by side, too), so
that any generator goes with them. Q is a head on D's features: linear → batch norm → LeakyReLU → linear, which gives
the classes' logits and the numbers' means; their variance is fixed at 1. The term is -λ E[log Q(c | G(z, c))] without
constants, and so falls as the lower bound of the mutual information rises. λ = 1 for the classes and
`infogan.continuous-weight` = 0.1 for the numbers. D's features learn for Q as well, in D's turn; Q is trained there.

The defaults are the paper's for MNIST: one code of ten classes, two numbers, Q's hidden layer of 128.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganbench import Batch, Recipe, Regularizer, SampleSpec, hookimpl
from ganbench_zoo.layers.labels import one_hot

HIDDEN = 128


class Codes(nn.Module):
    """Draws the codes, and finds them again."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.categories: int = recipe["infogan.categories"]
        self.continuous: int = recipe["infogan.continuous"]
        self.share: float = recipe["infogan.continuous-weight"]
        self.size = self.categories + self.continuous

    def wrap(self, player: str, maker: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        """Q is made when D is, for it has to know how wide D's features are."""

        def build() -> nn.Module:
            net = maker()
            width: Any = net.width
            hidden = nn.Linear(width, HIDDEN, bias=False)
            self.head = nn.Sequential(hidden, nn.BatchNorm1d(HIDDEN), nn.LeakyReLU(0.1), nn.Linear(HIDDEN, self.size))
            return net

        return build if player == "D" else maker

    def latents(self, batch: Batch) -> Batch:
        """The latents `(B, latent)` with codes `(B, size)`, one-hot classes before numbers, in their first entries."""
        z: Any = batch.z
        code = 2 * torch.rand(len(z), self.continuous, dtype=z.dtype, device=z.device) - 1
        if self.categories:
            chosen = torch.randint(self.categories, (len(z),), device=z.device)
            code = torch.cat([one_hot(chosen, self.categories, z.dtype), code], 1)
        return batch.but(z=torch.cat([code, z[:, self.size :]], 1), extra={**batch.extra, "code": code})

    inputs = latents

    def surprise(self, D: Any, fake: Batch) -> Tensor:
        """-log Q of each sample's codes, weighed and without constants, `(B,)`."""
        found, code = self.head(D.answer(fake).features), fake.extra["code"]
        k = self.categories
        squares = 0.5 * (found[:, k:] - code[:, k:]).square().sum(1)
        return self.share * squares - (code[:, :k] * F.log_softmax(found[:, :k], 1)).sum(1)


def term(own: Codes, D: Any, fake: Batch) -> Tensor:
    """What both D's features and G are told of the codes, `(B,)`."""
    return own.surprise(D, fake)


def fits(spec: SampleSpec, recipe: Recipe, others: tuple[str, ...]) -> str | None:
    """There are codes, and latents that they can stand among."""
    categories, continuous = recipe["infogan.categories"], recipe["infogan.continuous"]
    if categories == 1 or min(categories, continuous) < 0 or categories + continuous == 0:
        return (
            f"{categories} categories and {continuous} continuous codes say nothing: set 0 or at least 2, and 0 or more"
        )
    if recipe["latent"] <= categories + continuous:
        return f"its {categories + continuous} codes leave no noise among latent={recipe['latent']}"
    return None


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Codes that can be read off the samples."""
    yield Regularizer(
        "infogan",
        term,
        term,
        build=Codes,
        heads=("D",),
        requires=("features",),
        recipe=Recipe(
            {
                "infogan.weight": 1.0,
                "infogan.categories": 10,
                "infogan.continuous": 2,
                "infogan.continuous-weight": 0.1,
            }
        ),
        fits=fits,
        couples_samples=True,
        paper="arXiv:1606.03657",
    )
