"""Components with memory: buffers, written in `after` alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench import Answer, Architecture, Augmentation, Loss, Recipe, Regularizer, SampleSpec

from .base import WIDTH, Discriminator, Generator, StandIn


class Autoencoder(Discriminator):
    """Answers with the energy: how badly it reconstructs."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        self.last = nn.Linear(WIDTH, self.first.in_features)

    def forward(self, x: Tensor) -> Answer:
        flat = x.flatten(1)
        return Answer(energy=(self.last(F.leaky_relu(self.first(flat))) - flat).abs().mean(1))


class Balance(nn.Module):
    """BEGAN's k, arXiv:1703.10717, algorithm 1."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.register_buffer("k", torch.zeros(()))

    def after(self, turn: str, seen: Any) -> None:
        if turn == "D":
            real, fake = (torch.cat(seen[origin]).mean() for origin in ("real", "fake"))
            self.k.add_(0.1 * (0.5 * real - fake)).clamp_(0, 1)


BEGAN = Loss(
    "began",
    lambda D, real, fake, own: D.answer(real).energy - own.k * D.answer(fake).energy,
    lambda D, fake: D.answer(fake).energy,
    build=Balance,
)


class AdaptiveNoise(nn.Module):
    """ADA's p, arXiv:2006.06676: how often to augment follows how sure D is of real samples."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.register_buffer("p", torch.zeros(()))

    def view(self, batch: Any) -> Any:
        x = batch.x
        chosen = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device) < self.p
        return batch.but(x=torch.where(chosen, -x, x))

    def after(self, turn: str, seen: Any) -> None:
        if turn == "D":
            self.p.add_(0.05 * (torch.cat(seen["real"]).sign().mean() - 0.1).sign()).clamp_(0, 1)


class Anchors(nn.Module):
    """LeCam's averages of D's answers, arXiv:2104.03310."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.register_buffer("real", torch.zeros(()))
        self.register_buffer("fake", torch.zeros(()))

    def after(self, turn: str, seen: Any) -> None:
        if turn == "D":
            for origin in ("real", "fake"):
                getattr(self, origin).lerp_(torch.cat(seen[origin]).mean(), 0.1)


class History(nn.Module):
    """Historical averaging, arXiv:1606.03498: D's parameters stay near their mean so far."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.register_buffer("steps", torch.zeros(()))
        self.past = nn.Module()

    def wrap(self, player: str, maker: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        def build() -> nn.Module:
            net = maker()
            for index, parameter in enumerate(net.parameters()):
                self.past.register_buffer(str(index), parameter.detach().clone())
            return net

        return build if player == "D" else maker

    def distance(self, D: Any) -> Tensor:
        pairs = zip(D.parameters(), self.past.buffers(), strict=True)
        return torch.stack([(p - m).square().sum() for p, m in pairs]).sum()

    def after(self, turn: str, nets: Any) -> None:
        if turn == "D":
            self.steps += 1
            for parameter, mean in zip(nets["D"].parameters(), self.past.buffers(), strict=True):
                mean.lerp_(parameter, 1 / (self.steps + 1))


ADA = Augmentation("ada", build=AdaptiveNoise)
LECAM = Regularizer(
    "lecam",
    lambda D, real, fake, own: (D(real) - own.fake).square() + (own.real - D(fake)).square(),
    build=Anchors,
    recipe={"lecam.weight": 0.1},
)
HISTORY = Regularizer("history", lambda D, own: own.distance(D), build=History)

CASES = [
    StandIn("began", BEGAN, architecture=Architecture("autoencoder", Generator, Autoencoder)),
    StandIn("ada", others=(ADA,)),
    StandIn("lecam", others=(LECAM,)),
    StandIn("historical-averaging", others=(HISTORY,)),
]
