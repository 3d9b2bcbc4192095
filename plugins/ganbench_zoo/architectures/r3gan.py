"""R3GAN.  Huang, Gokaslan, Kuleshov & Tompkin 2024, arXiv:2501.05441, section 4 (configuration E).

    G: z → linear · basis b×b → stage → [twice as large → stage] … → 1×1 convolution
    D: 1×1 convolution → [stage → half as large] … → stage → depthwise b×b convolution → linear

A stage is two residual blocks, inverted and grouped, without normalization, from fix-up's distribution
(`layers/fixup`). Resampling is bilinear, with a 1×1 convolution where the number of channels changes. There is no bias
but before activations; all other weights start from the distribution that keeps the variance.

`width` is the most channels that maps have, `finest` those at full resolution, doubled with each halving. What differs:
images end in a tanh, for samples lie in the data's range, and 28-pixel images grow from 7×7, not 4×4.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.fixup import FixupBlock, he_init
from ganbench_zoo.layers.outputs import output_activation
from ganbench_zoo.layers.resampling import Filter

SIZES = (28, 32, 64)


def channels(size: int, recipe: Recipe) -> tuple[int, list[int]]:
    """Pixels of the coarsest maps, and the channels of all maps from the coarsest to the finest ones."""
    bottom = 7 if size % 7 == 0 else 4
    stages = (size // bottom).bit_length()
    return bottom, [min(recipe["width"], recipe["finest"] * 2**i) for i in reversed(range(stages))]


def plain(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """A layer that keeps the variance."""
    he_init(layer)
    return layer


def stage(count: int, blocks: int, whole: int) -> nn.Sequential:
    """Residual blocks of `count` channels; `whole`: of the network."""
    return nn.Sequential(*(FixupBlock(count, whole) for _ in range(blocks)))


class Resampled(nn.Module):
    """Maps `(B, inputs, H, W)` to `(B, outputs, 2H, 2W)`, or with `up=False` to `(B, outputs, H/2, W/2)`."""

    def __init__(self, inputs: int, outputs: int, up: bool) -> None:
        super().__init__()
        self.up, self.filter = up, Filter()
        self.change = plain(nn.Conv2d(inputs, outputs, 1, bias=False)) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """The convolution on the smaller side: it commutes with the filter."""
        return self.filter.enlarge(self.change(x)) if self.up else self.change(self.filter.shrink(x))


class Generator(nn.Module):
    """Latents `(B, latent)` to images `(B, C, H, W)` in `spec.range`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        bottom, counts = channels(spec.shape[-1], recipe)
        blocks: int = recipe["blocks"]
        whole = blocks * len(counts)
        self.basis = nn.Parameter(torch.randn(counts[0], bottom, bottom))
        self.start = plain(nn.Linear(recipe["latent"], counts[0], bias=False))
        layers: list[nn.Module] = [stage(counts[0], blocks, whole)]
        for coarse, fine in pairwise(counts):
            layers += [Resampled(coarse, fine, up=True), stage(fine, blocks, whole)]
        self.layers = nn.Sequential(*layers)
        last = plain(nn.Conv2d(counts[-1], spec.shape[0], 1, bias=False))
        self.output = nn.Sequential(last, output_activation(spec.range))

    def forward(self, z: Tensor) -> Tensor:
        """One image for each latent."""
        return self.output(self.layers(self.start(z)[:, :, None, None] * self.basis))


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` to logits `(B,)`; its features are what the linear layer sees: `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        bottom, counts = channels(spec.shape[-1], recipe)
        blocks: int = recipe["blocks"]
        whole = blocks * len(counts)
        layers: list[nn.Module] = [plain(nn.Conv2d(spec.shape[0], counts[-1], 1, bias=False))]
        for fine, coarse in pairwise(reversed(counts)):
            layers += [stage(fine, blocks, whole), Resampled(fine, coarse, up=False)]
        self.width: int = counts[0]
        whole_map = plain(nn.Conv2d(self.width, self.width, bottom, groups=self.width, bias=False))
        self.layers = nn.Sequential(*layers, stage(self.width, blocks, whole), whole_map, nn.Flatten())
        self.output = plain(nn.Linear(self.width, 1, bias=False))

    def forward(self, x: Tensor) -> Answer:
        """One logit and one row of features for each image."""
        features = self.layers(x)
        return Answer(logit=self.output(features).squeeze(1), features=features)


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """R3GAN's networks."""
    yield Architecture(
        "r3gan",
        Generator,
        Discriminator,
        accepts=Images(SIZES, (1, 2, 3)),
        offers=("features", "per-sample-D"),
        recipe=Recipe(width=768, finest=768, blocks=2, latent=64, lr=2e-4, betas=(0.0, 0.99), batch_size=512),
        paper="arXiv:2501.05441",
    )
