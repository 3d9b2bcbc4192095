"""A generator's residual block with conditional batch norms.  Miyato & Koyama 2018, arXiv:1802.05637, section 5.

`shortcut(x) + conv2(relu(norm2(conv1(relu(norm1(x, y))), y)))`: the block `UpBlock` of `residual.py`, whose
normalizations know the class.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ganbench_zoo.layers.conditional_norm import ConditionalBatchNorm2d
from ganbench_zoo.layers.residual import UpBlock


class ConditionalUpBlock(nn.Module):
    """`(B, inputs, H, W)` and labels `(B,)` to `(B, outputs, 2H, 2W)`, or to `(B, outputs, H, W)` with `up=False`."""

    def __init__(self, inputs: int, outputs: int, classes: int, up: bool = True) -> None:
        super().__init__()
        plain = UpBlock(inputs, outputs, "none", up)
        self.up = up
        self.norm1 = ConditionalBatchNorm2d(inputs, classes)
        self.norm2 = ConditionalBatchNorm2d(outputs, classes)
        self.conv1, self.conv2, self.shortcut = plain.conv1, plain.conv2, plain.shortcut

    def _resize(self, h: Tensor) -> Tensor:
        return F.interpolate(h, scale_factor=2, mode="nearest") if self.up else h

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Feature maps to feature maps."""
        h = self.conv1(self._resize(F.relu(self.norm1(x, y))))
        h = self.conv2(F.relu(self.norm2(h, y)))
        return h + self._resize(self.shortcut(x))
