"""StyleGAN2.  Karras, Laine, Aittala, Hellsten, Lehtinen & Aila 2020, arXiv:1912.04958.

`cstylegan2`: with labels as in StyleGAN2-ADA, Karras, Aittala, Hellsten, Laine, Lehtinen & Aila 2020, arXiv:2006.06676.

    f: z → normalize → [linear, leaky ReLU] × 8 → w                 at a hundredth of the learning rate
    G: constant b×b → layer → [layer that doubles → layer] …        layer: modulated convolution by w, noise, leaky ReLU
       the image is the sum of a modulated 1×1 convolution of the maps of each size, enlarged
    D: x → 1×1 convolution → [(3×3 → blur, 3×3, stride 2) + (blur, 1×1, stride 2)] / √2 …
       → minibatch standard deviation → 3×3 → linear → linear

All weights have an equalized learning rate. In training, `mixing` of the images have two styles: one up to a random
layer, another one's from there on. At sampling w is w̄ + ψ (w - w̄): ψ, `truncation`, is 1 unless told otherwise, which
leaves w as it is and scores comparable; w̄ is the running mean of w.

With labels (`cstylegan2`) f takes the normalized linear image of the one-hot label beside z, and D's last layer answers
the product with m(y), a mapping of the label alone.

`width` is the most channels that maps have, `finest` those at full resolution, doubled with each halving; z and w have
`latent` numbers. `residual=false` leaves out D's shortcuts, `stddev_group=0` the deviation: D then answers each sample
on its own. What differs: images end in a tanh, for samples lie in the data's range; the second style of an image is
that of its neighbour in the batch; and 28-pixel images grow from 7×7, not 4×4.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.batch_deviation import batch_deviation
from ganbench_zoo.layers.equalized import EqualConv2d, EqualLinear, leaky_relu
from ganbench_zoo.layers.labels import one_hot
from ganbench_zoo.layers.modulated import ModulatedConv2d, StyledLayer
from ganbench_zoo.layers.outputs import output_activation
from ganbench_zoo.layers.pixel_norm import pixel_norm
from ganbench_zoo.layers.resampling import Filter

SIZES = (28, 32, 64)


def channels(size: int, recipe: Recipe) -> dict[int, int]:
    """Pixels of the maps, from the coarsest to the finest ones, and how many channels they have."""
    bottom = 7 if size % 7 == 0 else 4
    sizes = [bottom * 2**i for i in range((size // bottom).bit_length())]
    return {pixels: min(recipe["width"], recipe["finest"] * size // pixels) for pixels in sizes}


class Mapping(nn.Module):
    """Latents `(B, width)`, labels `(B,)` where there are classes, or labels alone, to `(B, width)`."""

    def __init__(self, width: int, depth: int, classes: int, latents: bool = True) -> None:
        super().__init__()
        self.classes = classes
        self.label = EqualLinear(classes, width) if classes else None
        inputs = width * (latents + bool(classes))
        sizes = [inputs, *[width] * depth]
        self.layers = nn.ModuleList(EqualLinear(i, o, rate=0.01) for i, o in pairwise(sizes))

    def forward(self, z: Tensor | None, y: Tensor | None) -> Tensor:
        """One style for each row."""
        given = [] if z is None else [pixel_norm(z)]
        if self.label is not None and y is not None:
            given.append(pixel_norm(self.label(one_hot(y, self.classes, self.label.weight.dtype))))
        h = torch.cat(given, dim=1)
        for layer in self.layers:
            h = leaky_relu(layer(h))
        return h


class Generator(nn.Module):
    """Latents `(B, latent)` to images `(B, C, H, W)` in `spec.range`."""

    mean: Tensor

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        width: int = recipe["latent"]
        maps = channels(spec.shape[-1], recipe)
        first, *counts = maps.values()
        self.mixing: float = recipe["mixing"]
        self.truncation: float = recipe["truncation"]
        self.mapping = Mapping(width, recipe["mapping_depth"], spec.classes)
        self.start = nn.Parameter(torch.randn(1, first, *[min(maps)] * 2))
        self.layers = nn.ModuleList([StyledLayer(first, first, width)])
        self.images = nn.ModuleList([ModulatedConv2d(first, spec.shape[0], 1, width, demodulate=False)])
        for coarse, fine in pairwise([first, *counts]):
            self.layers += [StyledLayer(coarse, fine, width, up=True), StyledLayer(fine, fine, width)]
            self.images.append(ModulatedConv2d(fine, spec.shape[0], 1, width, demodulate=False))
        self.biases = nn.Parameter(torch.zeros(len(self.images), spec.shape[0], 1, 1))
        self.filter = Filter()
        self.output = output_activation(spec.range)
        self.register_buffer("mean", torch.zeros(width))

    def styles(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        """A style for each layer, and one for the last image: `(B, layers + 1, latent)`."""
        w, count = self.mapping(z, y), len(self.layers) + 1
        if self.training:
            self.mean.lerp_(w.detach().float().mean(0), 0.005)
        styles = w.unsqueeze(1).expand(-1, count, -1)
        if self.training and self.mixing:
            draws = torch.rand((2, len(z), 1, 1), device=z.device)
            start = torch.where(draws[0] < self.mixing, 1 + (draws[1] * (count - 1)).floor(), count)
            other = self.mapping(z.roll(1, 0), y).unsqueeze(1)
            styles = torch.where(torch.arange(count, device=z.device).view(1, -1, 1) < start, styles, other)
        elif not self.training and self.truncation != 1:
            styles = torch.lerp(self.mean.to(styles.dtype), styles, self.truncation)
        return styles

    def synthesis(self, styles: Tensor) -> Tensor:
        """Images from styles `(B, layers + 1, latent)`."""
        w = styles.unbind(1)
        h, image = self.layers[0](self.start.expand(len(styles), -1, -1, -1), w[0]), None
        for index, to_image in enumerate(self.images):
            if index:
                h = self.layers[2 * index](self.layers[2 * index - 1](h, w[2 * index - 1]), w[2 * index])
            more = to_image(h, w[2 * index + 1]) + self.biases[index]
            image = more if image is None else self.filter.enlarge(image) + more
        return self.output(image)

    def forward(self, z: Tensor) -> Tensor:
        """One image for each latent."""
        return self.synthesis(self.styles(z))


class ConditionalGenerator(Generator):
    """Latents `(B, latent)` and labels `(B,)` to images of those classes."""

    def forward(self, z: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        """One image for each latent and label."""
        return self.synthesis(self.styles(z, y))


class DownBlock(nn.Module):
    """`(B, inputs, H, W)` to `(B, outputs, H/2, W/2)`."""

    def __init__(self, inputs: int, outputs: int, residual: bool) -> None:
        super().__init__()
        self.first = EqualConv2d(inputs, inputs, 3)
        self.second = EqualConv2d(inputs, outputs, 3, stride=2, padding=0)
        self.shortcut = EqualConv2d(inputs, outputs, 1, stride=2, bias=False) if residual else None
        self.filter = Filter()

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps to feature maps."""
        h = leaky_relu(self.second(self.filter.blur(leaky_relu(self.first(x)), padding=2)))
        if self.shortcut is None:
            return h
        return (h + self.shortcut(self.filter.blur(x, padding=1))) / math.sqrt(2)


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` to logits `(B,)`; its features are the last hidden layer: `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        maps = channels(spec.shape[-1], recipe)
        counts = [*reversed(maps.values())]
        self.group: int = recipe["stddev_group"]
        self.width: int = counts[-1]
        self.start = EqualConv2d(spec.shape[0], counts[0], 1)
        self.blocks = nn.Sequential(*(DownBlock(i, o, recipe["residual"]) for i, o in pairwise(counts)))
        self.last = EqualConv2d(self.width + bool(self.group), self.width, 3)
        self.hidden = EqualLinear(self.width * min(maps) ** 2, self.width)
        self.output = EqualLinear(self.width, recipe["latent"] if spec.classes else 1)
        self.label = Mapping(recipe["latent"], recipe["mapping_depth"], spec.classes, False) if spec.classes else None

    def forward(self, x: Tensor) -> Answer:
        """One logit and one row of features for each image."""
        return self.judge(x, None)

    def judge(self, x: Tensor, y: Tensor | None) -> Answer:
        """The same, for labels where there are classes."""
        h = self.blocks(leaky_relu(self.start(x)))
        if self.group:
            h = batch_deviation(h, self.group)
        features = leaky_relu(self.hidden(leaky_relu(self.last(h)).flatten(1)))
        said = self.output(features)
        if self.label is None:
            return Answer(logit=said.squeeze(1), features=features)
        return Answer(logit=(said * self.label(None, y)).sum(1) / math.sqrt(said.shape[1]), features=features)


class ConditionalDiscriminator(Discriminator):
    """Images `(B, C, H, W)` and labels `(B,)` to logits `(B,)` and features `(B, width)`."""

    def forward(self, x: Tensor, y: Tensor) -> Answer:  # type: ignore[override]
        """One logit for each pair of an image and a label."""
        return self.judge(x, y)


def traits(spec: SampleSpec, recipe: Recipe) -> tuple[str, ...]:
    """Features, and G's styles; each sample on its own where no deviation joins them."""
    return ("features", "styles") if recipe["stddev_group"] else ("features", "styles", "per-sample-D")


def conditional_traits(spec: SampleSpec, recipe: Recipe) -> tuple[str, ...]:
    """The same, and labels."""
    return ("labels", *traits(spec, recipe))


RECIPE = Recipe(
    width=512,
    finest=512,
    latent=512,
    mapping_depth=8,
    mixing=0.9,
    truncation=1.0,
    stddev_group=4,
    residual=True,
    lr=2e-3,
    betas=(0.0, 0.99),
    batch_size=32,
    ema_half_life=10_000.0,
    ema_ramp_up=0.0,
)


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """StyleGAN2's networks, without and with labels."""
    accepts = Images(SIZES, (1, 2, 3))
    yield Architecture("stylegan2", Generator, Discriminator, accepts, traits, recipe=RECIPE, paper="arXiv:1912.04958")
    yield Architecture(
        "cstylegan2",
        ConditionalGenerator,
        ConditionalDiscriminator,
        accepts,
        conditional_traits,
        recipe=RECIPE,
        paper="arXiv:2006.06676",
    )
