"""BEGAN, boundary equilibrium GAN.  Berthelot, Schumm & Metz 2017, arXiv:1703.10717, section 3.4.

    L_D = L(x) - k L(G(z))        L_G = L(G(z))        k ← k + λ (γ L(x) - L(G(z))),  0 ≤ k ≤ 1

with L the energy of an autoencoding D and k = 0 at first. γ, the diversity ratio, is E[L(G(z))] / E[L(x)] at the
equilibrium: lower values give cleaner and less varied samples. k and the measure of convergence

    M = L(x) + |γ L(x) - L(G(z))|

(both means of the batch of D's last step) are curves in the run's events. k is moved after D's step, with the
samples that D has seen; `began.gamma` is γ = 0.5 and `began.rate` λ = 0.001. The paper halves the learning rate where M
stalls; here it follows the recipe. The layer norm in D is ours, for networks that are small.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganbench import Batch, Loss, Recipe, SampleSpec, hookimpl


class Equilibrium(nn.Module):
    """k, and the measure M."""

    k: Tensor
    measure: Tensor

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.gamma: float = recipe["began.gamma"]
        self.rate: float = recipe["began.rate"]
        for name in ("k", "measure"):
            self.register_buffer(name, torch.zeros(()))

    def after(self, turn: str, seen: Mapping[str, list[Tensor]]) -> None:
        """Move k after D's turn."""
        if turn == "D":
            real, fake = (torch.cat(seen[origin]).mean().abs() for origin in ("real", "fake"))  # the logit is -energy
            balance = self.gamma * real - fake
            self.k.add_(self.rate * balance).clamp_(0, 1)
            self.measure.copy_(real + balance.abs())


def discriminator(D: Any, real: Batch, fake: Batch, own: Equilibrium) -> Tensor:
    """Real energies less k times generated ones, `(B,)`."""
    return D.answer(real).energy - own.k * D.answer(fake).energy


def generator(D: Any, fake: Batch) -> Tensor:
    """The energy, `(B,)`."""
    return D.answer(fake).energy


@hookimpl
def ganbench_losses() -> Iterator[Loss]:
    """The boundary equilibrium."""
    yield Loss(
        "began",
        discriminator,
        generator,
        build=Equilibrium,
        requires=("energy",),
        recipe=Recipe({"began.gamma": 0.5, "began.rate": 1e-3, "energy": "absolute", "norm_D": "layer"}),
        paper="arXiv:1703.10717",
    )
