"""random-cnn: features of a small convolutional network that was never trained, for images of any kind and size.

    x / 127.5 - 1 → [conv 3×3, ReLU, max over 2×2]×3, of 32, 64 and 128 channels → mean over the picture = 128 features

No weight has seen an image: each is uniform in ±√(6 / fan-in) (He et al. 2015, arXiv:1502.01852) before the mean of its
filter is taken off, there are no biases, and one channel stands in all three. Random networks as a second opinion
beside trained ones: Naeem et al. 2020, arXiv:2002.09797. There are no logits. `docs/extractors/random-cnn.md` has the
figures.

The weights are the bytes of SHAKE-256 over a fixed phrase, two for each, and exact arithmetic, so they are the same
with every version of NumPy and torch; their sha256 is in the fingerprint of a score.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ganbench import Extractor, Images, UsageError, Weights, hookimpl

CHANNELS = (3, 32, 64, 128)
PHRASE = b"ganbench random-cnn 1"
SHA256 = "98047e85b1fe96d576faabc515be7365d40159041dbcf6b1d6d85728eaaa5dc3"
"""Of the weights, layer by layer, as little-endian float32."""


@functools.cache
def drawn() -> tuple[np.ndarray, ...]:
    """The weights of each convolution: float32 `(outputs, inputs, 3, 3)`."""
    shapes = [(outputs, inputs, 3, 3) for inputs, outputs in itertools.pairwise(CHANNELS)]
    sizes = [math.prod(shape) for shape in shapes]
    whole = np.frombuffer(hashlib.shake_256(PHRASE).digest(2 * sum(sizes)), "<u2")
    layers = []
    for shape, values in zip(shapes, np.split(whole.astype(np.int64), np.cumsum(sizes)[:-1]), strict=True):
        filters = values.reshape(shape[0], -1)
        fan_in = filters.shape[1]
        centred = fan_in * filters - filters.sum(1, keepdims=True)  # in whole numbers: a mean in floats may round
        layers.append((centred / (fan_in * 2**15) * math.sqrt(6 / fan_in)).astype(np.float32).reshape(shape))
    return tuple(layers)


def weights(path: Path | None = None) -> Weights:
    """This file, which the weights are drawn from, and the sha256 of what was drawn; another file is refused."""
    if path is not None and Path(path).resolve() != Path(__file__).resolve():
        raise UsageError(f"random-cnn takes no weights ({path}): its own are drawn, never read from a file")
    digest = hashlib.sha256(b"".join(layer.astype("<f4").tobytes() for layer in drawn())).hexdigest()
    return Weights(Path(__file__), digest, official=digest == SHA256)


class RandomCNN(nn.Module):
    """uint8 images `(B, 1 or 3, H, W)` to a tuple of one tensor, the features `(B, 128)`."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for layer in drawn():
            conv = nn.Conv2d(layer.shape[1], layer.shape[0], 3, padding=1, bias=False)
            conv.weight = nn.Parameter(torch.from_numpy(layer.copy()))
            layers += [conv, nn.ReLU(inplace=True), nn.MaxPool2d(2, ceil_mode=True)]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """The features of each image, whatever else is in the batch."""
        x = images.expand(-1, 3, -1, -1).float() / 127.5 - 1
        return (self.layers(x).mean((2, 3)),)


def build(weights_file: Path | None = None, layers: tuple[str, ...] = ("features",)) -> nn.Module:
    """The network in eval mode."""
    if unknown := set(layers) - {"features"}:
        raise UsageError(f"random-cnn has no layer {', '.join(sorted(unknown))}; there is: features")
    weights(weights_file)
    return RandomCNN().requires_grad_(False).eval().to(memory_format=torch.channels_last)


@hookimpl
def ganbench_extractors() -> Iterator[Extractor]:
    yield Extractor(
        "random-cnn",
        build,
        weights,
        accepts=Images(),
        layers=("features",),
        logits=None,
        width=CHANNELS[-1],
        preprocessing="one channel repeated to three; x / 127.5 - 1",
        images_per_second=1000.0,
        paper="arXiv:2002.09797",
    )
