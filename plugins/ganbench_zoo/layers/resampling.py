"""Maps blurred by a small binomial filter, twice as large, half as large.  Zhang 2019, arXiv:1904.11486; Karras et al.
2020, arXiv:1912.04958.

The filter is [1, 3, 3, 1] / 8 along either axis. What is enlarged gets a zero behind each pixel, and is then filtered
with a gain of 4; what is halved is filtered first. Beyond the borders there are zeros.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Filter(nn.Module):
    """Maps `(B, C, H, W)`, each channel filtered by itself.

    `blur(x, padding)` to `(B, C, H + 2 padding - 3, W + …)`, times `gain`; `enlarge(x)` to `(B, C, 2H, 2W)`;
    `shrink(x)` to `(B, C, H/2, W/2)`.
    """

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        row = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("kernel", torch.outer(row, row)[None, None], persistent=False)

    def blur(self, x: Tensor, padding: int, gain: float = 1.0) -> Tensor:
        """Filtered maps."""
        return F.conv2d(x, self._for(x, gain), padding=padding, groups=x.shape[1])

    def enlarge(self, x: Tensor) -> Tensor:
        """Maps twice as wide and high."""
        return F.conv_transpose2d(x, self._for(x, 4.0), stride=2, padding=1, groups=x.shape[1])

    def shrink(self, x: Tensor) -> Tensor:
        """Maps half as wide and high."""
        return F.conv2d(x, self._for(x, 1.0), stride=2, padding=1, groups=x.shape[1])

    def _for(self, x: Tensor, gain: float) -> Tensor:
        return (self.kernel * gain).expand(x.shape[1], 1, -1, -1)
