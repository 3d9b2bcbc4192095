"""Unrolled GAN.  Metz, Poole, Pfau & Sohl-Dickstein 2017, arXiv:1611.02163, eqs. 5 to 9.

    θ⁰ = θ,    θᵏ⁺¹ = θᵏ - η ∇L_D(θᵏ)        L_G is taken at D's parameters θᴷ(G), and its gradient runs through them

G plays against D as D would answer after K more steps on the same batches, so it loses by crowding onto what D just now
takes for real. L_D is whatever D minimises in the entry, penalties included; D's own step is as ever. Each step costs a
forward and a backward pass of D, and their backward pass.

`unrolled.steps` is K = 5. The steps are plain gradient steps of size `unrolled.lr`, eq. 6, whatever D's optimizer is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ganbench import Recipe, Regularizer, SampleSpec, hookimpl


class Unrolled(nn.Module):
    """Looks ahead."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.steps: int = recipe["unrolled.steps"]
        self.rate: float = recipe["unrolled.lr"]

    def opponent(self, D: Any, loss: Callable[[Any], Tensor]) -> Any:
        """D after its next steps."""
        weights = {name: p.detach().requires_grad_() for name, p in D.net.named_parameters()}
        for _ in range(self.steps):
            slopes = torch.autograd.grad(
                loss(D.using(weights)), list(weights.values()), create_graph=True, allow_unused=True
            )
            moved = zip(weights.items(), slopes, strict=True)
            weights = {name: w if slope is None else w - self.rate * slope for (name, w), slope in moved}
        return D.using(weights)


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """An opponent that is some steps ahead."""
    yield Regularizer(
        "unrolled",
        build=Unrolled,
        recipe=Recipe({"unrolled.steps": 5, "unrolled.lr": 0.002}),
        couples_samples=True,
        paper="arXiv:1611.02163",
    )
