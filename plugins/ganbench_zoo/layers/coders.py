"""Small encoders and decoders for samples of any shape, for games and autoencoders that bring networks of their own.

Square images of 4·2ⁿ or 7·2ⁿ pixels go through 4×4 convolutions of stride 2 with `width` channels at the finest maps,
doubled with each halving, as in DCGAN (Radford et al. 2016, arXiv:1511.06434); all else through two hidden linear
layers of `width` units. Activations are LeakyReLU 0.2 on the way down and ReLU on the way up. Convolutions start from
N(0, 0.02²) as there; without a normalization, which such small weights need, from torch's own distribution.
"""

from __future__ import annotations

import math
from itertools import pairwise

from torch import nn

from ganbench import SampleSpec
from ganbench_zoo.layers.initializers import normal_init
from ganbench_zoo.layers.norms import cancels_bias, norm1d, norm2d
from ganbench_zoo.layers.outputs import output_activation


def pyramid(spec: SampleSpec, width: int) -> tuple[int, list[int]] | None:
    """Pixels of the coarsest maps, and the channels from the finest maps to the coarsest; None where there are none."""
    if spec.modality != "image" or len(spec.shape) != 3 or spec.shape[1] != spec.shape[2]:
        return None
    size = spec.shape[-1]
    for bottom in (7, 4):
        stages = (size // bottom).bit_length() - 1
        if stages > 0 and bottom << stages == size:
            return bottom, [width * 2**i for i in range(stages)]
    return None


def encoder(spec: SampleSpec, outputs: int, width: int, norm: str, extra: int = 0) -> nn.Sequential:
    """Samples `(B, *spec.shape)` to `(B, outputs)`, unbounded. extra: further input channels (of images)."""
    steps = pyramid(spec, width)
    if steps is None:
        inputs = math.prod(spec.shape) + extra
        return nn.Sequential(nn.Flatten(), *_hidden(inputs, width, norm, nn.LeakyReLU(0.2)), nn.Linear(width, outputs))
    bottom, channels = steps
    layers: list[nn.Module] = [nn.Conv2d(spec.shape[0] + extra, channels[0], 4, 2, 1), nn.LeakyReLU(0.2)]
    for fine, coarse in pairwise(channels):
        layers += [nn.Conv2d(fine, coarse, 4, 2, 1, bias=not cancels_bias(norm)), norm2d(norm, coarse)]
        layers += [nn.LeakyReLU(0.2)]
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[-1] * bottom**2, outputs))
    if norm != "none":
        normal_init(net)
    return net


def decoder(spec: SampleSpec, inputs: int, width: int, norm: str) -> nn.Sequential:
    """`(B, inputs)` to samples `(B, *spec.shape)` in `spec.range`."""
    steps = pyramid(spec, width)
    if steps is None:
        return nn.Sequential(
            *_hidden(inputs, width, norm, nn.ReLU()),
            nn.Linear(width, math.prod(spec.shape)),
            output_activation(spec.range),
            nn.Unflatten(1, spec.shape),
        )
    bottom, channels = steps
    top, bias = channels[-1], not cancels_bias(norm)
    layers: list[nn.Module] = [
        nn.Linear(inputs, top * bottom**2, bias=bias),
        nn.Unflatten(1, (top, bottom, bottom)),
        norm2d(norm, top),
        nn.ReLU(),
    ]
    for coarse, fine in pairwise(reversed(channels)):
        layers += [nn.ConvTranspose2d(coarse, fine, 4, 2, 1, bias=bias), norm2d(norm, fine), nn.ReLU()]
    layers += [nn.ConvTranspose2d(channels[0], spec.shape[0], 4, 2, 1), output_activation(spec.range)]
    net = nn.Sequential(*layers)
    if norm != "none":
        normal_init(net)
    return net


def _hidden(inputs: int, width: int, norm: str, activation: nn.Module) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for size in (inputs, width):
        layers += [nn.Linear(size, width, bias=norm != "batch"), norm1d(norm, width), activation]
    return layers
