"""Conditional batch norm: each class has gains and biases of its own.  de Vries et al. 2017, arXiv:1707.00683.

y = γ_c (x - μ) / σ + β_c,    μ and σ of each channel, over all samples of the batch, whatever their class
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConditionalBatchNorm2d(nn.Module):
    """Feature maps `(B, channels, H, W)` and labels `(B,)` to maps of the same shape; every class starts from γ = 1,
    β = 0."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        # Plain parameters: a spectral norm, which would rescale an `nn.Embedding`, is for linear maps.
        self.gain = nn.Parameter(torch.ones(classes, channels))
        self.bias = nn.Parameter(torch.zeros(classes, channels))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Normalized maps, scaled and shifted as their classes have it."""
        gain, bias = (F.embedding(y, table).to(x.dtype)[:, :, None, None] for table in (self.gain, self.bias))
        return self.norm(x) * gain + bias
