"""Equalized learning rate.  Karras, Aila, Laine & Lehtinen 2018, arXiv:1710.10196, section 4.1.

Weights start from N(0, 1) and are scaled when they are used: Ŵ = W / √fan_in, He's constant without its √2, which
`leaky_relu` has. Adam, whose steps know no scale, then moves all layers at one pace. With `rate` λ a layer learns λ
times as fast (Karras, Laine & Aila 2019, arXiv:1812.04948, on their mapping network): weights start from N(0, 1/λ²) and
all of it is scaled by λ.
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn


def leaky_relu(x: Tensor) -> Tensor:
    """Leaky ReLU of slope 0.2, times √2: about the variance that came in."""
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


class EqualLinear(nn.Linear):
    """`(B, inputs)` to `(B, outputs)`. bias: where it starts; None: there is none."""

    def __init__(self, inputs: int, outputs: int, bias: float | None = 0.0, rate: float = 1.0) -> None:
        super().__init__(inputs, outputs, bias=bias is not None)
        self.rate, self.scale = rate, rate / math.sqrt(inputs)
        nn.init.normal_(self.weight, 0.0, 1 / rate)
        if bias is not None:
            nn.init.constant_(self.bias, bias / rate)

    def forward(self, input: Tensor) -> Tensor:
        """Linear, with scaled weights."""
        return F.linear(input, self.weight * self.scale, None if self.bias is None else self.bias * self.rate)


class EqualConv2d(nn.Conv2d):
    """`(B, inputs, H, W)` to `(B, outputs, H, W)`, or with a stride and no padding to what fits."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride, kernel // 2 if padding is None else padding, bias=bias)
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """A convolution, with scaled weights."""
        return self._conv_forward(input, self.weight * self.scale, self.bias)
