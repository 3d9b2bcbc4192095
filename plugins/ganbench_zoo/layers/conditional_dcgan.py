"""DCGAN with a class-conditional generator; what discriminators on it share.

Radford, Metz & Chintala 2016, arXiv:1511.06434; the label as in Mirza & Osindero 2014, arXiv:1411.1784.

    G: (z, one-hot y) → linear to b×b → norm → ReLU → [4×4 transposed convolution, stride 2 → norm → ReLU] … → tanh
    D: x → [4×4 convolution, stride 2 → norm (not on the first) → LeakyReLU 0.2] …

These are G of `cdcgan`, and D of `dcgan` without its last layer: b = 4 (7 for 28-pixel images), and `width` channels in
the finest maps, doubled with each halving of the resolution. All weights start from N(0, 0.02²): a network calls
`normal_init` when it is whole.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ganbench import Recipe, SampleSpec
from ganbench_zoo.layers.initializers import normal_init
from ganbench_zoo.layers.labels import append_labels
from ganbench_zoo.layers.norms import cancels_bias, norm2d
from ganbench_zoo.layers.outputs import output_activation

SIZES = (28, 32, 64)
RECIPE = Recipe(width=64, norm_G="batch", norm_D="batch", latent=100, lr=2e-4, betas=(0.5, 0.999), batch_size=128)


def _pyramid(size: int, width: int) -> tuple[int, list[int]]:
    """Pixels of the coarsest maps, and the channels of all maps from the finest to the coarsest."""
    bottom = 7 if size % 7 == 0 else 4
    stages = (size // bottom).bit_length() - 1
    return bottom, [width * 2**i for i in range(stages)]


class ConditionalDCGANGenerator(nn.Module):
    """Latents `(B, latent)` and labels `(B,)` to images `(B, C, H, W)` of those classes, in `spec.range`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.classes = spec.classes
        bottom, channels = _pyramid(spec.shape[-1], recipe["width"])
        norm: str = recipe["norm_G"]
        bias = not cancels_bias(norm)
        top = channels[-1]
        layers: list[nn.Module] = [
            nn.Linear(recipe["latent"] + spec.classes, top * bottom**2, bias=bias),
            nn.Unflatten(1, (top, bottom, bottom)),
            norm2d(norm, top),
            nn.ReLU(),
        ]
        for coarse, fine in pairwise(reversed(channels)):
            layers += [nn.ConvTranspose2d(coarse, fine, 4, 2, 1, bias=bias), norm2d(norm, fine), nn.ReLU()]
        layers += [nn.ConvTranspose2d(channels[0], spec.shape[0], 4, 2, 1), output_activation(spec.range)]
        self.layers = nn.Sequential(*layers)
        normal_init(self)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """One image for each latent and label."""
        return self.layers(append_labels(z, y, self.classes))


class DCGANFeatures(nn.Module):
    """Images `(B, C, H, W)` to the coarsest maps, flattened: φ(x), `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        bottom, channels = _pyramid(spec.shape[-1], recipe["width"])
        norm: str = recipe["norm_D"]
        layers: list[nn.Module] = [nn.Conv2d(spec.shape[0], channels[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for fine, coarse in pairwise(channels):
            convolution = nn.Conv2d(fine, coarse, 4, 2, 1, bias=not cancels_bias(norm))
            layers += [convolution, norm2d(norm, coarse), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.width: int = channels[-1] * bottom**2

    def forward(self, x: Tensor) -> Tensor:
        """One row of features for each image."""
        return self.layers(x)
