"""What stands between a batch and D, and what is done to networks as they are built or after they moved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganbench import Answer, Augmentation, Recipe, Regularizer, SampleSpec

from .base import IMAGES, StandIn

Maker = Callable[[], nn.Module]


class Bare(nn.Module):
    """A component's module with nothing in it yet."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe


class Packing(Bare):
    """PacGAN, arXiv:1712.04086: D sees `m` samples at a time."""

    order = "pack"

    def sees(self, spec: SampleSpec) -> SampleSpec:
        return spec.but(shape=(spec.shape[0] * self.recipe["pac.m"], *spec.shape[1:]))

    def view(self, batch: Any) -> Any:
        x, m = batch.x, self.recipe["pac.m"]
        return batch.but(x=x.reshape(len(x) // m, m * x.shape[1], *x.shape[2:]))


class Noise(Bare):
    """Instance noise, arXiv:1610.04490, gone by the end."""

    order = "noise"

    def view(self, batch: Any, progress: Tensor) -> Any:
        return batch.but(x=batch.x + 0.5 * (1 - progress) * torch.randn_like(batch.x))


class Augment(Bare):
    """DiffAugment, arXiv:2006.10738: brightness, and each sample mirrored or not."""

    def view(self, batch: Any) -> Any:
        shape = (len(batch.x), *[1] * (batch.x.ndim - 1))
        x = batch.x + 0.2 * (torch.rand(shape, device=batch.x.device) - 0.5)
        return batch.but(x=torch.where(torch.rand(shape, device=x.device) < 0.5, x.flip(-1), x))


class WithStatistics(nn.Module):
    """A discriminator whose logit also hears how far the batch's features are apart."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net, self.width, self.more = net, net.width, nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Answer:
        said = self.net(x)
        deviation = said.features.std(0).mean()
        distances = (said.features[:, None] - said.features).abs().sum(2)
        statistics = torch.stack([deviation.expand(len(x)), (-distances).exp().sum(1)], 1)
        return Answer(logit=said.logit + self.more(statistics)[:, 0], features=said.features)


class BatchStatistics(Bare):
    """Minibatch standard deviation (arXiv:1710.10196) and discrimination (arXiv:1606.03498) around D."""

    def wrap(self, player: str, maker: Maker) -> Maker:
        return (lambda: WithStatistics(maker())) if player == "D" else maker


class Spectral(Bare):
    """Spectral norm, arXiv:1802.05957, of every player's linear layers."""

    def wrap(self, player: str, maker: Maker) -> Maker:
        def build() -> nn.Module:
            net = maker()
            for layer in [m for m in net.modules() if isinstance(m, nn.Linear)]:
                spectral_norm(layer)
            return net

        return build


class Clipping(Bare):
    """WGAN's clipping, arXiv:1701.07875."""

    def after(self, turn: str, nets: Any) -> None:
        if turn == "D":
            for parameter in nets["D"].parameters():
                parameter.clamp_(-0.1, 0.1)


def _orthogonal(D: Any) -> Tensor:
    products = [w @ w.T for w in D.parameters() if w.ndim == 2]
    return torch.stack([(p - torch.eye(len(p), device=p.device)).square().sum() for p in products]).sum()


PACKING = Augmentation("pac", build=Packing, recipe={"pac.m": 2}, couples_samples=True)
NOISE = Augmentation("noise", build=Noise)
AUGMENT = Augmentation("augment", build=Augment)
STATISTICS = Regularizer("statistics", build=BatchStatistics, couples_samples=True)
SPECTRAL = Regularizer("spectral", build=Spectral)
CLIPPING = Regularizer("clipping", build=Clipping)
ORTHOGONAL = Regularizer("orthogonal", _orthogonal, recipe={"orthogonal.weight": 1e-3})
AVERAGED = {"ema_half_life": 100.0}

CASES = [
    StandIn("pacgan", others=(PACKING,)),
    StandIn("pacgan-images", others=(PACKING,), spec=IMAGES, dtype=torch.uint8),
    StandIn("batch-statistics", others=(STATISTICS,)),
    StandIn("instance-noise", others=(NOISE,)),
    StandIn("augment", others=(AUGMENT,), spec=IMAGES, dtype=torch.uint8),
    StandIn("ema", settings=AVERAGED),
    StandIn("clipping", others=(CLIPPING,)),
    StandIn("orthogonal", others=(ORTHOGONAL,)),
    StandIn("spectral-norm", others=(SPECTRAL,), settings=AVERAGED),
]
