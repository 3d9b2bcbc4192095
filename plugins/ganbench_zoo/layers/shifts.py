"""Images moved by a few pixels and mirrored at random, as consistency regularization compares them.

One draw of random numbers and one gather: nothing in it looks at a value on the host.
"""

from __future__ import annotations

import torch
from torch import Tensor


def shift_and_mirror(x: Tensor, pixels: int, mirror: bool) -> Tensor:
    """Each image `(B, C, H, W)` moved by whole numbers from -pixels to pixels in both directions; what comes in at an
    edge is its reflection. mirror: half of them, left and right exchanged, too.
    """
    height, width = x.shape[-2:]
    u = torch.rand((len(x), 3, 1), device=x.device)
    moves = (u * (2 * pixels + 1)).floor().clamp(max=2 * pixels).long() - pixels
    rows = _reflected(torch.arange(height, device=x.device) + moves[:, 0], height)
    columns = _reflected(torch.arange(width, device=x.device) + moves[:, 1], width)
    if mirror:
        columns = torch.where(u[:, 2] < 0.5, width - 1 - columns, columns)
    places = (rows[:, :, None] * width + columns[:, None]).reshape(len(x), 1, height * width)
    return x.flatten(2).gather(2, places.expand(-1, x.shape[1], -1)).reshape(x.shape)


def _reflected(index: Tensor, size: int) -> Tensor:
    """Places within 0 and size - 1, those outside reflected at the first and the last."""
    return size - 1 - (size - 1 - index.abs()).abs()
