"""DCGAN.  Radford, Metz & Chintala 2016, arXiv:1511.06434; `cdcgan`: Mirza & Osindero 2014, arXiv:1411.1784.

    G: z → linear to b×b → norm → ReLU → [4×4 transposed convolution, stride 2 → norm → ReLU] … → tanh
    D: x → [4×4 convolution, stride 2 → norm (not on the first) → LeakyReLU 0.2] … → linear

The coarsest maps are b = 4 pixels wide (7 for 28-pixel images), and the finest ones have `width` channels, doubled
with each halving of the resolution. All weights start from N(0, 0.02²). Kernels are 4×4, as in the authors'
code, where the paper has 5×5: a stride of 2 then covers every pixel equally often. `cdcgan` appends the label, one-hot,
to z and, as constant maps, to the channels of x. With `norm_D` other than `batch` D answers each sample on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.initializers import normal_init
from ganbench_zoo.layers.labels import append_labels
from ganbench_zoo.layers.norms import cancels_bias, norm2d, per_sample
from ganbench_zoo.layers.outputs import output_activation

SIZES = (28, 32, 64)


def _pyramid(size: int, width: int) -> tuple[int, list[int]]:
    """Pixels of the coarsest maps, and the channels of all maps from the finest to the coarsest."""
    bottom = 7 if size % 7 == 0 else 4
    stages = (size // bottom).bit_length() - 1
    return bottom, [width * 2**i for i in range(stages)]


class Generator(nn.Module):
    """Latents `(B, latent)` to images `(B, C, H, W)` in `spec.range`. `extra`: further inputs beside the latents."""

    def __init__(self, spec: SampleSpec, recipe: Recipe, extra: int = 0) -> None:
        super().__init__()
        bottom, channels = _pyramid(spec.shape[-1], recipe["width"])
        norm: str = recipe["norm_G"]
        bias = not cancels_bias(norm)
        top = channels[-1]
        layers: list[nn.Module] = [
            nn.Linear(recipe["latent"] + extra, top * bottom**2, bias=bias),
            nn.Unflatten(1, (top, bottom, bottom)),
            norm2d(norm, top),
            nn.ReLU(),
        ]
        for coarse, fine in pairwise(reversed(channels)):
            layers += [nn.ConvTranspose2d(coarse, fine, 4, 2, 1, bias=bias), norm2d(norm, fine), nn.ReLU()]
        layers += [nn.ConvTranspose2d(channels[0], spec.shape[0], 4, 2, 1), output_activation(spec.range)]
        self.layers = nn.Sequential(*layers)
        normal_init(self)

    def forward(self, z: Tensor) -> Tensor:
        """One image for each latent."""
        return self.layers(z)


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` to logits `(B,)`; its features are the coarsest maps, flattened: `(B, width)`.

    `extra`: further input channels beside the image's.
    """

    def __init__(self, spec: SampleSpec, recipe: Recipe, extra: int = 0) -> None:
        super().__init__()
        bottom, channels = _pyramid(spec.shape[-1], recipe["width"])
        norm: str = recipe["norm_D"]
        layers: list[nn.Module] = [nn.Conv2d(spec.shape[0] + extra, channels[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for fine, coarse in pairwise(channels):
            convolution = nn.Conv2d(fine, coarse, 4, 2, 1, bias=not cancels_bias(norm))
            layers += [convolution, norm2d(norm, coarse), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.width: int = channels[-1] * bottom**2
        self.output = nn.Linear(self.width, 1)
        normal_init(self)

    def forward(self, x: Tensor) -> Answer:
        """One logit and one row of features for each image."""
        features = self.layers(x)
        return Answer(logit=self.output(features).squeeze(1), features=features)


class ConditionalGenerator(nn.Module):
    """Latents `(B, latent)` and labels `(B,)` to images of those classes."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.classes = spec.classes
        self.net = Generator(spec, recipe, extra=spec.classes)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """One image for each latent and label."""
        return self.net(append_labels(z, y, self.classes))


class ConditionalDiscriminator(nn.Module):
    """Images `(B, C, H, W)` and labels `(B,)` to logits `(B,)` and features `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.classes = spec.classes
        self.net = Discriminator(spec, recipe, extra=spec.classes)
        self.width: int = self.net.width

    def forward(self, x: Tensor, y: Tensor) -> Answer:
        """One logit for each pair of an image and a label."""
        return self.net(append_labels(x, y, self.classes))


class LabelledImages(Images):
    """Images, in a run that tells the networks their classes."""

    def refuses(self, spec: SampleSpec) -> str | None:
        """None if the images fit and there are classes, else the reason."""
        if reason := super().refuses(spec):
            return reason
        return None if spec.classes else "needs class labels, and the run has none"


def traits(spec: SampleSpec, recipe: Recipe) -> tuple[str, ...]:
    """Features always; each sample on its own unless D has a batch norm."""
    return ("features", "per-sample-D") if per_sample(recipe["norm_D"]) else ("features",)


def conditional_traits(spec: SampleSpec, recipe: Recipe) -> tuple[str, ...]:
    """The same, and labels."""
    return ("labels", *traits(spec, recipe))


RECIPE = Recipe(width=64, norm_G="batch", norm_D="batch", latent=100, lr=2e-4, betas=(0.5, 0.999), batch_size=128)


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """The dcgan, without and with labels."""
    yield Architecture(
        "dcgan",
        Generator,
        Discriminator,
        accepts=Images(SIZES),
        offers=traits,
        recipe=RECIPE,
        paper="arXiv:1511.06434",
    )
    yield Architecture(
        "cdcgan",
        ConditionalGenerator,
        ConditionalDiscriminator,
        accepts=LabelledImages(SIZES),
        offers=conditional_traits,
        recipe=RECIPE,
        paper="arXiv:1411.1784",
    )
