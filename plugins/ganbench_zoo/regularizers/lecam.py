"""LeCam regularization.  Tseng, Jiang, Liu, Yang & Yang 2021, arXiv:2104.03310.

    λ (E[(D(x) - α_F)²] + E[(D(G(z)) - α_R)²])

with α_R and α_F the moving averages of D's mean logits of real and of generated samples over its steps so far, decay
γ = 0.99, unbiased from the first of them on: αₜ = Σ γᵗ⁻ⁱ mᵢ / Σ γᵗ⁻ⁱ. Before it there is no average and no penalty. For
small data sets. λ = 0.3 is the authors' for BigGAN on CIFAR. `lecam.one-sided=true` is what their code does: only D(x)
above α_F and D(G(z)) below α_R count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganbench import Batch, Recipe, Regularizer, SampleSpec, hookimpl


class Anchors(nn.Module):
    """The moving averages of D's logits."""

    real: Tensor
    fake: Tensor
    steps: Tensor

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.decay: float = recipe["lecam.decay"]
        for name in ("real", "fake", "steps"):
            self.register_buffer(name, torch.zeros(()))

    def after(self, turn: str, seen: Mapping[str, list[Tensor]]) -> None:
        """Move the averages, where it was D's turn."""
        if turn == "D":
            self.steps += 1
            share = (1 - self.decay) / (1 - self.decay**self.steps)
            self.real.lerp_(torch.cat(seen["real"]).mean(), share)
            self.fake.lerp_(torch.cat(seen["fake"]).mean(), share)


def discriminator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch, recipe: Recipe, own: Anchors) -> Tensor:
    """Squared distances of the logits from the other side's average, `(B,)`."""
    above, below = D(real) - own.fake, own.real - D(fake)
    if recipe["lecam.one-sided"]:
        above, below = F.relu(above), F.relu(below)
    return (above.square() + below.square()) * (own.steps > 0)


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """LeCam regularization."""
    yield Regularizer(
        "lecam",
        discriminator,
        build=Anchors,
        recipe=Recipe({"lecam.weight": 0.3, "lecam.decay": 0.99, "lecam.one-sided": False}),
        paper="arXiv:2104.03310",
    )
