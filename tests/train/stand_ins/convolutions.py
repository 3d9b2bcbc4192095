"""Networks of convolutions: a batch norm in the generator, kernels that memory can lay out in two ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from .base import IMAGES, TOY, StandIn


class Maker(nn.Module):
    """Latents to images, with what a forward pass leaves behind: a batch norm."""

    def __init__(self, spec: Any, recipe: Any) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(recipe["latent"], 64), nn.BatchNorm2d(4)
        self.last = nn.ConvTranspose2d(4, 1, 4, 2, 1)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.last(F.relu(self.norm(self.linear(z).unflatten(1, (4, 4, 4))))).tanh()


class Judge(nn.Module):
    """Images to logits, by kernels that channels_last lays out differently."""

    def __init__(self, spec: Any, recipe: Any) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Conv2d(1, 4, 4, 2, 1), nn.Conv2d(4, 8, 3, 1, 1), nn.Linear(128, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = F.leaky_relu(self.first(x), 0.2)
        return self.last(F.leaky_relu(self.second(hidden), 0.2).flatten(1))[:, 0]


CONVOLUTIONS = StandIn(
    "convolutions",
    architecture=replace(TOY, generator=Maker, discriminator=Judge),
    spec=IMAGES,
    dtype=torch.uint8,
    settings={"ema_half_life": 50.0},
)
