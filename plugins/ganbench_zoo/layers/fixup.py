"""Residual blocks without normalization.

Fix-up (Zhang, Dauphin & Ma 2019, arXiv:1901.09321): of the m = 3 convolutions of a block the last starts from 0, so
that the block is the identity, and the others from He's distribution times L^(-1 / (2m - 2)), L blocks in the network.
Grouped (ResNeXt: Xie et al. 2017, arXiv:1611.05431) and inverted (wider inside: Sandler et al. 2018, arXiv:1801.04381),
as R3GAN has it (Huang et al. 2024, arXiv:2501.05441).

    x + 1×1 to C (leaky ReLU (3×3 in groups of 16 channels (leaky ReLU (1×1 to 2C (x)))))
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

GAIN = math.sqrt(2 / (1 + 0.2**2))
"""He's, for a leaky ReLU of slope 0.2."""


def he_init(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> None:
    """Weight from N(0, gain² / fan_in), bias 0."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class FixupBlock(nn.Module):
    """Maps `(B, channels, H, W)` to maps of the same shape. blocks: of the whole network."""

    def __init__(self, channels: int, blocks: int, group: int = 16) -> None:
        super().__init__()
        inner = 2 * channels
        groups = max(inner // group, 1)
        self.first = nn.Conv2d(channels, inner, 1)
        self.second = nn.Conv2d(inner, inner, 3, padding=1, groups=groups if inner % groups == 0 else 1)
        self.third = nn.Conv2d(inner, channels, 1, bias=False)
        for layer in (self.first, self.second):
            he_init(layer, GAIN * blocks ** (-1 / 4))
        nn.init.zeros_(self.third.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Feature maps to feature maps."""
        h = F.leaky_relu(self.first(x), 0.2)
        return x + self.third(F.leaky_relu(self.second(h), 0.2))
