"""Progressive growing of GANs.  Karras, Aila, Laine & Lehtinen 2018, arXiv:1710.10196.

    G: z → normalize → linear to b×b → 3×3 → [doubled → 3×3 → 3×3] …        each stage has a 1×1 convolution to an image
    D: each stage has a 1×1 convolution from an image;  … [3×3 → 3×3 → halved] → minibatch deviation → 3×3 → linear → 1

Leaky ReLUs everywhere, in G with pixelwise normalization; all weights have an equalized learning rate. Networks are at
a stage, which follows the share of the budget that is used (`layers/growth`): G's image is that of its stage, enlarged
to the data's size, and D looks at images of that many pixels. While a stage fades in, both mix it with the one before.
The data follows: `growing-data` comes along.

`width` is the most channels that maps have, `finest` those at full resolution, doubled with each halving; `grown` the
share of the budget by which all stages have faded in. What differs: images end in a tanh, for samples lie in the data's
range; 28-pixel images grow from 7×7, not 4×4; stages last for shares of the budget, not 800,000 images each; and there
is no deviation unless `stddev_group` asks for it, for the gradient penalty wants each answer to be its sample's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.batch_deviation import batch_deviation
from ganbench_zoo.layers.equalized import EqualConv2d, EqualLinear, leaky_relu
from ganbench_zoo.layers.growth import Growing, bottom
from ganbench_zoo.layers.outputs import output_activation
from ganbench_zoo.layers.pixel_norm import pixel_norm

SIZES = (28, 32, 64)


def channels(count: int, recipe: Recipe) -> list[int]:
    """Channels of the maps of each stage, from the coarsest to the finest one."""
    return [min(recipe["width"], recipe["finest"] * 2**i) for i in reversed(range(count))]


def doubled(x: Tensor, times: int = 1) -> Tensor:
    """Each pixel as a square of 2^times."""
    return F.interpolate(x, scale_factor=2**times, mode="nearest") if times else x


class Activated(EqualConv2d):
    """A 3×3 convolution and a leaky ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3)

    def forward(self, input: Tensor) -> Tensor:
        """Feature maps to feature maps."""
        return leaky_relu(super().forward(input))


class Normed(Activated):
    """The same, and pixelwise normalization."""

    def forward(self, input: Tensor) -> Tensor:
        """Feature maps to feature maps."""
        return pixel_norm(super().forward(input))


class Generator(Growing):
    """Latents `(B, latent)` to images `(B, C, H, W)` in `spec.range`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe["grown"])
        counts = channels(self.count, recipe)
        self.pixels = bottom(spec.shape[-1])
        self.start = EqualLinear(recipe["latent"], counts[0] * self.pixels**2)
        self.blocks = nn.ModuleList([nn.Sequential(Normed(counts[0], counts[0]))])
        for coarse, fine in pairwise(counts):
            self.blocks.append(nn.Sequential(Normed(coarse, fine), Normed(fine, fine)))
        self.images = nn.ModuleList(EqualConv2d(c, spec.shape[0], 1) for c in counts)
        self.output = output_activation(spec.range)

    def forward(self, z: Tensor) -> Tensor:
        """One image for each latent."""
        h = self.start(pixel_norm(z)).unflatten(1, (-1, self.pixels, self.pixels))
        h, before = pixel_norm(leaky_relu(h)), None
        for index, block in enumerate(self.blocks[: self.stage + 1]):
            if index:
                before, h = h, doubled(h)
            h = block(h)
        image = self.output(self.images[self.stage](h))
        if self.blend < 1 and before is not None:
            image = doubled(self.output(self.images[self.stage - 1](before))).lerp(image, self.blend)
        return doubled(image, self.count - 1 - self.stage)


class Discriminator(Growing):
    """Images `(B, C, H, W)` to logits `(B,)`; its features are the last hidden layer: `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe["grown"])
        counts = channels(self.count, recipe)
        self.group: int = recipe["stddev_group"]
        self.width: int = counts[0]
        self.images = nn.ModuleList(EqualConv2d(spec.shape[0], c, 1) for c in counts)
        self.blocks = nn.ModuleList(
            nn.Sequential(Activated(fine, fine), Activated(fine, coarse), nn.AvgPool2d(2))
            for coarse, fine in pairwise(counts)
        )
        self.last = EqualConv2d(self.width + bool(self.group), self.width, 3)
        self.hidden = EqualLinear(self.width * bottom(spec.shape[-1]) ** 2, self.width)
        self.output = EqualLinear(self.width, 1)

    def _seen(self, x: Tensor, stage: int) -> Tensor:
        """Maps from images as a stage sees them."""
        left = self.count - 1 - stage
        return leaky_relu(self.images[stage](F.avg_pool2d(x, 2**left) if left else x))

    def forward(self, x: Tensor) -> Answer:
        """One logit and one row of features for each image."""
        h = self._seen(x, self.stage)
        for stage in range(self.stage, 0, -1):
            h = self.blocks[stage - 1](h)
            if stage == self.stage and self.blend < 1:
                h = self._seen(x, stage - 1).lerp(h, self.blend)
        if self.group:
            h = batch_deviation(h, self.group)
        features = leaky_relu(self.hidden(leaky_relu(self.last(h)).flatten(1)))
        return Answer(logit=self.output(features).squeeze(1), features=features)


def traits(spec: SampleSpec, recipe: Recipe) -> tuple[str, ...]:
    """Features, and that it grows; each sample on its own where no deviation joins them."""
    return ("features", "grows") if recipe["stddev_group"] else ("features", "grows", "per-sample-D")


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """Networks that grow."""
    yield Architecture(
        "progan",
        Generator,
        Discriminator,
        accepts=Images(SIZES, (1, 2, 3)),
        offers=traits,
        brings=("growing-data",),
        recipe=Recipe(
            width=512,
            finest=512,
            latent=512,
            grown=0.5,
            stddev_group=0,
            lr=1e-3,
            betas=(0.0, 0.99),
            batch_size=16,
            ema_half_life=11_000.0,
            ema_ramp_up=0.0,
        ),
        paper="arXiv:1710.10196",
    )
