"""A small convolutional classifier, as in-domain extractors are made of it.

    first → [conv 3×3, pool 2, conv 3×3] for each further width → pool 3 → dense, batch norm, ReLU → dense

What the ReLU gives are the features, what the last layer gives the logits. Every convolution of the middle part has
batch norm and a GELU behind it (behind the pooling, where there is one). This is the trunk of Keller Jordan's fast
CIFAR-10 nets (arXiv:2404.00498) with a narrow layer of features at its end.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ganbench import UsageError

FEATURES = 128
LAYERS = ("features", "logits")


def normed(inputs: int, outputs: int, pool: int = 1) -> list[nn.Module]:
    """A 3×3 convolution, max pooling where `pool` is above 1, batch norm and a GELU."""
    conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return [conv, *([nn.MaxPool2d(pool)] if pool > 1 else []), nn.BatchNorm2d(outputs), nn.GELU()]


class Classifier(nn.Module):
    """uint8 images `(B, *shape)` to the layers asked for: `(B, 128)` features, `(B, 10)` logits.

    first: layers in front, which give `widths[0]` channels; each further width halves the maps, and 3×3 (to 5×5) pixels
    must be left. mean, std: of the pixels in [0, 1], for each channel. name: the extractor's, for errors.
    """

    def __init__(
        self,
        name: str,
        shape: tuple[int, int, int],
        mean: tuple[float, ...],
        std: tuple[float, ...],
        first: list[nn.Module],
        widths: tuple[int, ...],
        layers: tuple[str, ...] = LAYERS,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.name, self.shape, self.layers = name, shape, layers
        self.scale = [(1 / (255 * s), -m / s) for m, s in zip(mean, std, strict=True)]
        middle = [layer for i, o in pairwise(widths) for layer in (*normed(i, o, pool=2), *normed(o, o))]
        dense = nn.Linear(widths[-1], FEATURES, bias=False)
        self.trunk = nn.Sequential(
            *first, *middle, nn.MaxPool2d(3), nn.Flatten(), dense, nn.BatchNorm1d(FEATURES), nn.ReLU()
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(FEATURES, 10))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The asked layers, in the order asked."""
        features = self.trunk(self.prepare(images))
        given = {"features": features, "logits": self.head(features) if "logits" in self.layers else None}
        return tuple(given[layer] for layer in self.layers)

    def prepare(self, images: Tensor) -> Tensor:
        """uint8 (or the same values as floats) to float32 of mean 0 and standard deviation 1 in each channel."""
        if tuple(images.shape[1:]) != self.shape:
            raise UsageError(f"{self.name} takes (B, {', '.join(map(str, self.shape))}), not {tuple(images.shape)}")
        factor, shift = images.new_tensor(self.scale, dtype=torch.float32).T.reshape(2, 1, -1, 1, 1)
        return images.float() * factor + shift
