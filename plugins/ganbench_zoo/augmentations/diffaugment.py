"""DiffAugment, differentiable augmentation.  Zhao, Liu, Lin, Zhu & Han 2020, arXiv:2006.10738.

    L_D = E[f(-D(T(x)))] + E[f(D(T(G(z))))]        L_G = E[g(-D(T(G(z))))]

T is drawn anew for each sample, from one law for real and generated ones, and G learns through it. It is, in order,

    brightness     x + b,                 b ~ U(-1/2, 1/2), for values in [-1, 1]
    saturation     m + s (x - m),         s ~ U(0, 2),      m the mean of a pixel's channels; a grey image has none
    contrast       m + c (x - m),         c ~ U(1/2, 3/2),  m the mean of the image
    translation    by whole pixels, of each side at most 1/8, down and across
    cutout         a square of 1/2 of each side, anywhere and cut off at the borders

What comes in from outside and what is cut out is 0, the middle of the range. Each of the paper's policies has a key,
and 0 leaves it out: `diffaugment.color` (the share of the above that b, s and c may vary by), `.translation` and
`.cutout` (shares of a side).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ganbench import Augmentation, Batch, Images, Recipe, SampleSpec, UsageError, hookimpl
from ganbench_zoo.layers.warps import shift


def uniform(x: Tensor, low: float, high: float) -> Tensor:
    """One number in [low, high) for each sample of `x` `(B, C, H, W)`: `(B, 1, 1, 1)`."""
    return low + (high - low) * torch.rand((len(x), 1, 1, 1), dtype=x.dtype, device=x.device)


def whole(x: Tensor, low: int, high: int) -> Tensor:
    """One whole number from `low` to `high` for each sample: `(B,)`."""
    return torch.randint(low, high + 1, (len(x),), device=x.device)


def color(x: Tensor, strength: float, unit: float = 1.0) -> Tensor:
    """Brightness, saturation and contrast of images `(B, C, H, W)`, whose range is `2 * unit` wide."""
    x = x + strength * unit * uniform(x, -0.5, 0.5)
    if x.shape[1] > 1:
        grey = x.mean(1, keepdim=True)
        x = grey + (x - grey) * (1 + strength * uniform(x, -1, 1))
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + (x - mean) * (1 + strength * uniform(x, -0.5, 0.5))


def translation(x: Tensor, share: float, fill: float = 0.0) -> Tensor:
    """Images moved by at most a share of each side, rounded to pixels."""
    down, right = (round_half_up(share * side) for side in x.shape[2:])
    return shift(x, whole(x, -down, down), whole(x, -right, right), fill)


def cutout(x: Tensor, share: float, fill: float = 0.0) -> Tensor:
    """Images without a rectangle of a share of each side, whose centre lies anywhere in the image."""
    cut = torch.ones((len(x), 1, 1, 1), dtype=torch.bool, device=x.device)
    for axis in (2, 3):
        side = x.shape[axis]
        size = round_half_up(share * side)
        first = whole(x, 0, side - size % 2).reshape(-1, 1, 1, 1) - size // 2
        place = torch.arange(side, device=x.device).reshape((-1, 1) if axis == 2 else (1, -1))
        cut = cut & (place >= first) & (place < first + size)
    return torch.where(cut, fill, x)


def round_half_up(value: float) -> int:
    """The nearest whole number."""
    return int(value + 0.5)


class DiffAugment(nn.Module):
    """The policies that the recipe asks for, before D."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        for key in ("diffaugment.color", "diffaugment.translation", "diffaugment.cutout"):
            if not 0 <= recipe[key] <= 1:
                raise UsageError(f"{key} is a share: set it to a number from 0 to 1, not {recipe[key]:g}")
        self.color: float = recipe["diffaugment.color"]
        self.translation: float = recipe["diffaugment.translation"]
        self.cutout: float = recipe["diffaugment.cutout"]
        low, high = spec.range or (-1.0, 1.0)
        self.middle, self.unit = (low + high) / 2, (high - low) / 2

    def view(self, batch: Batch) -> Batch:
        """The batch with each image augmented."""
        x: Any = batch.x
        if self.color:
            x = color(x, self.color, self.unit)
        if self.translation:
            x = translation(x, self.translation, self.middle)
        if self.cutout:
            x = cutout(x, self.cutout, self.middle)
        return batch.but(x=x)


def fits(spec: SampleSpec, recipe: Recipe, others: tuple[str, ...]) -> str | None:
    """Images of any size, with one channel or three."""
    return Images().refuses(spec)


@hookimpl
def ganbench_augmentations() -> Iterator[Augmentation]:
    """DiffAugment with all three policies."""
    yield Augmentation(
        "diffaugment",
        build=DiffAugment,
        recipe=Recipe({"diffaugment.color": 1.0, "diffaugment.translation": 0.125, "diffaugment.cutout": 0.5}),
        fits=fits,
        paper="arXiv:2006.10738",
    )
