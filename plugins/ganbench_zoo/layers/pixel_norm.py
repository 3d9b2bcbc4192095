"""Pixelwise normalization of feature vectors.  Karras et al. 2018, arXiv:1710.10196, section 4.2.

b = a / √(mean over channels of a² + ε),    ε = 10⁻⁸
"""

from __future__ import annotations

from torch import Tensor, nn


def pixel_norm(x: Tensor) -> Tensor:
    """Vectors `(B, n)`, or maps `(B, C, …)` at each pixel, to a mean square of 1 over the second axis."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


class PixelNorm(nn.Module):
    """The same as a layer; it has no parameters."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalized vectors."""
        return pixel_norm(x)
