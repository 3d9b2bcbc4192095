"""Images whose pixels are moved, each image in its own way.

By `gather` alone, and not by `grid_sample`: its gradient has a gradient, which penalties take, and is deterministic on
GPUs, which a repeatable training needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

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


def scaling(across: Tensor, down: Tensor) -> Tensor:
    """The maps `(B, 3, 3)` that stretch by these factors `(B,)`."""
    zero = torch.zeros_like(across)
    return _map(across, zero, zero, zero, down, zero)


def turning(cosine: Tensor, sine: Tensor) -> Tensor:
    """The maps that turn by angles with these cosines and sines `(B,)`, from the columns' axis to the rows'."""
    zero = torch.zeros_like(cosine)
    return _map(cosine, -sine, zero, sine, cosine, zero)


def moving(right: Tensor, down: Tensor) -> Tensor:
    """The maps that move by these many pixels `(B,)`."""
    zero, one = torch.zeros_like(right), torch.ones_like(right)
    return _map(one, zero, right, zero, one, down)


def compose(maps: Sequence[Tensor]) -> Tensor:
    """The map that does all of these, the last one first.

    Summed in float32: a product of matrices would be rounded to TF32 in modes that allow it.
    """
    return reduce(lambda first, then: (first.unsqueeze(3) * then.unsqueeze(1)).sum(2), maps)


def _map(*rows: Tensor) -> Tensor:
    zero = torch.zeros_like(rows[0])
    return torch.stack([*rows, zero, zero, torch.ones_like(zero)], dim=1).reshape(-1, 3, 3)


def warp(x: Tensor, maps: Tensor) -> Tensor:
    """Images `(B, C, H, W)`, each seen through an affine map `(B, 3, 3)`.

    Each pixel shows what lies at `map @ (column, row, 1)` in the image, in pixels from its centre, between pixels by
    bilinear interpolation and beyond the outermost ones mirrored at them.
    """
    height, width = x.shape[2:]
    middle, centre = (height - 1) / 2, (width - 1) / 2
    rows = torch.arange(height, dtype=x.dtype, device=x.device).unsqueeze(1) - middle
    columns = torch.arange(width, dtype=x.dtype, device=x.device) - centre
    across, down, origin = maps[:, :2, :, None, None].unbind(2)
    column, row = (across * columns + down * rows + origin).unbind(1)
    left, right, beside = _between(column + centre, width)
    above, below, beneath = _between(row + middle, height)
    pixels = x.flatten(2)

    def at(row: Tensor, column: Tensor) -> Tensor:
        index = (row * width + column).flatten(1).unsqueeze(1).expand(-1, x.shape[1], -1)
        return pixels.gather(2, index).reshape(x.shape)

    upper = torch.lerp(at(above, left), at(above, right), beside)
    return torch.lerp(upper, torch.lerp(at(below, left), at(below, right), beside), beneath)


def _between(at: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Places `(B, H, W)` along an axis as the two pixels that they lie between, and how far they are from the first
    one, `(B, 1, H, W)`; mirrored at the outermost pixels."""
    last = size - 1
    place = last - (at.remainder(2 * last) - last).abs() if last else torch.zeros_like(at)
    first = place.floor()
    return first.long(), (first + 1).clamp(max=last).long(), (place - first).unsqueeze(1).to(at.dtype)
