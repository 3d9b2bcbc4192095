"""Exponential moving average of weights, given as a half-life in images."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average:
    """An averaged copy of a network: parameters are averaged, buffers copied, also those that were None at first.

    half_life: images after which an old weight counts half. ramp_up: the half-life is at most this share of the images
    so far.
    """

    def __init__(self, net: nn.Module, half_life: float, ramp_up: float) -> None:
        self.net, self.half_life, self.ramp_up = net, half_life, ramp_up
        self.copy = copy.deepcopy(net).requires_grad_(False).eval()

    def update(self, images: int, images_so_far: int) -> None:
        """Move towards the network after `images` more images."""
        self.move(self.share(images, images_so_far))

    def share(self, images: int, images_so_far: int) -> float:
        """How much of the way to the network is gone after `images` more images, in [0, 1]."""
        half_life = min(self.half_life, self.ramp_up * images_so_far) if self.ramp_up > 0 else self.half_life
        return 1.0 - (0.5 ** (images / half_life) if half_life > 0 else 0.0)

    @torch.no_grad()
    def move(self, share: float | Tensor) -> None:
        """Go this share of the way to the network; a tensor () may have another value when a graph is replayed."""
        if isinstance(share, Tensor):
            for average, parameter in zip(self.copy.parameters(), self.net.parameters(), strict=True):
                average.lerp_(parameter, share)
        else:
            torch._foreach_lerp_(list(self.copy.parameters()), list(self.net.parameters()), share)
        mine = dict(self.copy.named_buffers())
        for name, theirs in self.net.named_buffers():
            if name in mine and mine[name].shape == theirs.shape:
                mine[name].copy_(theirs)
            else:
                place, _, key = name.rpartition(".")
                setattr(self.copy.get_submodule(place), key, theirs.clone())
