"""Images whose pixels are moved, each image in its own way.

By `gather` alone, and not by `grid_sample`: its gradient has a gradient, which penalties take, and is deterministic on
GPUs, which a repeatable training needs.
"""

from __future__ import annotations

import torch
from torch import Tensor


def shift(x: Tensor, down: Tensor, right: Tensor, fill: float = 0.0) -> Tensor:
    """Images `(B, C, H, W)` moved by whole pixels, down and right `(B,)` int64; `fill` comes in from outside."""
    for axis, by in ((2, down), (3, right)):
        size = x.shape[axis]
        shape = [len(x), 1, 1, 1]
        shape[axis] = size
        source = (torch.arange(size, device=x.device) - by.unsqueeze(1)).reshape(shape)
        moved = x.gather(axis, source.clamp(0, size - 1).expand_as(x))
        x = torch.where((source >= 0) & (source < size), moved, fill)
    return x
