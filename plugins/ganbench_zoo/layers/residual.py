"""Pre-activation residual blocks that double or halve the resolution.

Gulrajani et al. 2017, arXiv:1704.00028, appendix; Miyato et al. 2018, arXiv:1802.05957, appendix B.

Each block is `shortcut(x) + conv2(act(norm2(conv1(act(norm1(x))))))`. Upsampling is nearest-neighbour, before the first
convolution; downsampling is 2×2 average pooling, after the second one. A 1×1 convolution commutes with both, so the
shortcut runs it on the smaller side: the same function, a quarter of the work. Convolutions start from Xavier's uniform
distribution with gain √2 on the residual path and 1 on the shortcut, as in the authors' code.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

from ganbench_zoo.layers.initializers import xavier_init
from ganbench_zoo.layers.norms import norm2d


def _convolution(inputs: int, outputs: int, kernel: int, gain: float) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    xavier_init(layer, gain)
    return layer


class UpBlock(nn.Module):
    """A generator's block: `(B, inputs, H, W)` to `(B, outputs, 2H, 2W)`, or `(B, outputs, H, W)` with `up=False`."""

    def __init__(self, inputs: int, outputs: int, norm: str = "batch", up: bool = True) -> None:
        super().__init__()
        self.up = up
        self.norm1 = norm2d(norm, inputs)
        self.norm2 = norm2d(norm, outputs)
        self.conv1 = _convolution(inputs, outputs, 3, math.sqrt(2))
        self.conv2 = _convolution(outputs, outputs, 3, math.sqrt(2))
        self.shortcut = _convolution(inputs, outputs, 1, 1.0) if up or inputs != outputs else nn.Identity()

    def _resize(self, h: Tensor) -> Tensor:
        return F.interpolate(h, scale_factor=2, mode="nearest") if self.up else h

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps to feature maps."""
        h = self.conv1(self._resize(F.relu(self.norm1(x))))
        h = self.conv2(F.relu(self.norm2(h)))
        return h + self._resize(self.shortcut(x))


class DownBlock(nn.Module):
    """A discriminator's block: `(B, inputs, H, W)` to `(B, outputs, H/2, W/2)`, or to H, W with `down=False`.

    `first=True` is for the block that sees the image: it has no normalization, and no activation before its first
    convolution.
    """

    def __init__(self, inputs: int, outputs: int, norm: str = "none", down: bool = True, first: bool = False) -> None:
        super().__init__()
        self.down = down
        self.first = first
        hidden = outputs if first else inputs
        self.norm1 = nn.Identity() if first else norm2d(norm, inputs)
        self.norm2 = nn.Identity() if first else norm2d(norm, hidden)
        self.conv1 = _convolution(inputs, hidden, 3, math.sqrt(2))
        self.conv2 = _convolution(hidden, outputs, 3, math.sqrt(2))
        self.shortcut = _convolution(inputs, outputs, 1, 1.0) if down or inputs != outputs else nn.Identity()

    def _resize(self, h: Tensor) -> Tensor:
        return F.avg_pool2d(h, 2) if self.down else h

    def forward(self, x: Tensor) -> Tensor:
        """Images or feature maps to feature maps."""
        h = self.conv1(x if self.first else F.relu(self.norm1(x)))
        h = self.conv2(F.relu(self.norm2(h)))
        return self._resize(h) + self.shortcut(self._resize(x))
