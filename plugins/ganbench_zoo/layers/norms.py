"""Normalization layers by name, so that an architecture can leave the choice to its recipe.

`batch` couples the samples of a batch (Ioffe & Szegedy 2015, arXiv:1502.03167); `layer` (Ba et al. 2016,
arXiv:1607.06450) and `instance` (Ulyanov et al. 2016, arXiv:1607.08022) treat each sample on its own; `none` does
nothing.
"""

from __future__ import annotations

from torch import nn

from ganbench import UsageError


def norm2d(kind: str, channels: int) -> nn.Module:
    """A normalization of feature maps `(B, channels, H, W)`, with one gain and one bias per channel.

    `layer` takes its statistics over channels and pixels of a sample, as the WGAN-GP critic does.
    """
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "layer":
        return nn.GroupNorm(1, channels)
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    if kind == "none":
        return nn.Identity()
    raise UsageError(
        f"no normalization of images is called {kind!r}: set norm_G and norm_D to batch, layer, instance or none"
    )


def norm1d(kind: str, width: int) -> nn.Module:
    """A normalization of vectors `(B, width)`."""
    if kind == "batch":
        return nn.BatchNorm1d(width)
    if kind == "layer":
        return nn.LayerNorm(width)
    if kind == "none":
        return nn.Identity()
    raise UsageError(f"no normalization of vectors is called {kind!r}: set norm_G and norm_D to batch, layer or none")


def cancels_bias(kind: str) -> bool:
    """Whether this normalization subtracts each channel's mean, so that a bias before it has no effect."""
    return kind in ("batch", "instance")


def per_sample(kind: str) -> bool:
    """Whether a network with this normalization answers each sample on its own."""
    return kind != "batch"
