"""Modulated convolutions.  Karras et al. 2020 (StyleGAN2), arXiv:1912.04958, eq. 1-3.

    w'_oik = s_i w_oik            s = A(style) scales the inputs of each sample, the same at every pixel
    w''_oik = w'_oik / √(Σ_ik w'_oik² + ε)      demodulated: outputs of unit variance, if inputs have it; ε = 10⁻⁸

Neither makes weights for each sample: scaling the inputs by s and the outputs by the root is the same, with one
convolution for all. Weights have an equalized learning rate, and A starts from s = 1.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganbench_zoo.layers.equalized import EqualLinear, leaky_relu
from ganbench_zoo.layers.resampling import Filter


class ModulatedConv2d(nn.Module):
    """Maps `(B, inputs, H, W)` and styles `(B, width)` to maps `(B, outputs, H, W)`, with `up` to `(B, …, 2H, 2W)`."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, width: int, demodulate: bool = True, up: bool = False
    ) -> None:
        super().__init__()
        self.style = EqualLinear(width, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        self.padding = kernel // 2
        self.demodulate = demodulate
        self.filter = Filter() if up else None

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Feature maps, as their styles have it."""
        s, weight = self.style(w), self.weight * self.scale
        x = x * s.to(x.dtype)[:, :, None, None]
        if self.filter is None:
            y = F.conv2d(x, weight, padding=self.padding)
        else:
            y = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            y = self.filter.blur(y, padding=2 - self.padding, gain=4)
        if not self.demodulate:
            return y
        norm = (F.linear(s.square(), weight.square().sum((2, 3))) + 1e-8).rsqrt()
        return y * norm.to(y.dtype)[:, :, None, None]


class StyledLayer(nn.Module):
    """A modulated 3×3 convolution, noise of a learnt strength (0 at first), bias and leaky ReLU."""

    def __init__(self, inputs: int, outputs: int, width: int, up: bool = False) -> None:
        super().__init__()
        self.convolution = ModulatedConv2d(inputs, outputs, 3, width, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Maps `(B, inputs, H, W)` and styles `(B, width)` to `(B, outputs, …)`; the noise is drawn anew each time."""
        x = self.convolution(x, w)
        noise = torch.randn((len(x), 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
        return leaky_relu(x + self.strength.to(x.dtype) * noise + self.bias.to(x.dtype)[:, None, None])
