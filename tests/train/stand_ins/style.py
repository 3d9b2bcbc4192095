"""StyleGAN2 in small: mapping, style mixing, noise inputs, path length, truncation when sampling."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench import Architecture, Batch, Recipe, Regularizer, SampleSpec

from .base import IMAGES, WIDTH, Discriminator, StandIn


class StyleGenerator(nn.Module):
    """Two styled layers; with a `truncation` the styles move towards their running mean."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.shape = spec.shape
        self.mapping = nn.Sequential(nn.Linear(recipe["latent"], WIDTH), nn.LeakyReLU(0.2), nn.Linear(WIDTH, WIDTH))
        self.start = nn.Parameter(torch.randn(WIDTH))
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(2))
        self.strength = nn.Parameter(torch.full((2,), 0.1))
        self.last = nn.Linear(WIDTH, math.prod(spec.shape))
        self.register_buffer("mean", torch.zeros(WIDTH))

    def forward(self, z: Tensor, truncation: float | None = None) -> Tensor:
        styles = self.mapping(z)
        if self.training:
            self.mean.lerp_(styles.detach().mean(0), 0.01)
            swapped = torch.rand(len(z), 1, device=z.device) < 0.5
            return self.synthesis(styles, torch.where(swapped, styles.roll(1, 0), styles))
        if truncation is not None:
            styles = torch.lerp(self.mean, styles, truncation)
        return self.synthesis(styles, styles)

    def synthesis(self, *styles: Tensor) -> Tensor:
        """One style `(B, WIDTH)` for each layer; each layer has noise of its own."""
        x = self.start.expand(len(styles[0]), -1)
        for layer, style, strength in zip(self.layers, styles, self.strength, strict=True):
            x = F.leaky_relu(layer(x * (1 + style)) + strength * torch.randn_like(x), 0.2)
        return self.last(x).tanh().unflatten(1, self.shape)


class PathLength(nn.Module):
    """Eq. 4 of arXiv:1912.04958. The term leaves the new mean behind, `after` makes it the memory."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.new: Tensor | None = None

    def penalty(self, G: Any, latents: Batch) -> Tensor:
        styles = G.net.mapping(latents.z)
        images = G.net.synthesis(styles, styles)
        noise = torch.randn_like(images) / math.sqrt(images[0, 0].numel())
        slope = torch.autograd.grad((images * noise).sum(), styles, create_graph=True)[0]
        lengths = slope.square().sum(1).sqrt()
        self.new = torch.lerp(self.mean, lengths.detach().mean(), 0.1)
        return (lengths - self.new).square()

    def after(self, turn: str) -> None:
        if turn == "G" and self.new is not None:
            self.mean.copy_(self.new)
            self.new = None


class Truncation(nn.Module):
    """Only when samples are drawn: the latents say how far styles may stray."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.share: float = recipe["truncation.share"]

    def inputs(self, batch: Batch) -> Batch:
        return batch.but(extra={**batch.extra, "truncation": self.share})


PATH_LENGTH = Regularizer("path", generator=lambda own, G, latents: own.penalty(G, latents), build=PathLength, every=2)
TRUNCATION = Regularizer("truncation", build=Truncation, recipe={"truncation.share": 0.7})
R1_LAZY = Regularizer("r1", lambda D, real: D.slope(real).flatten(1).square().sum(1), every=4)
STYLE = Architecture("style", StyleGenerator, Discriminator, offers=("features", "per-sample-D"))

CASES = [
    StandIn(
        "stylegan2",
        others=(PATH_LENGTH, R1_LAZY, TRUNCATION),
        architecture=STYLE,
        spec=IMAGES,
        dtype=torch.uint8,
        settings={"ema_half_life": 100.0, "betas": (0.0, 0.99)},
    )
]
