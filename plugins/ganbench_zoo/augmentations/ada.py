"""ADA, adaptive discriminator augmentation.  Karras, Aittala, Hellsten, Laine, Lehtinen & Aila 2020, arXiv:2006.06676.

Each image that D sees, real or generated, is transformed; each transformation is done with probability p, and p follows
how sure D is of real images:

    r = E[sign D(x)] over 4 steps of D,    p ← p + sign(r - 0.6) · (images in these steps) / 500,000,    0 ≤ p ≤ 1

The transformations (appendix B), in order, for values in [-1, 1] and sides of length 1:

    blit         flip left to right, half of the time; none to three quarter turns; move by U(-1/8, 1/8) in pixels
    geometric    scale by 2^N(0, 0.2²); turn by U(-π, π); stretch by s across and 1/s down, s = 2^N(0, 0.2²); turn once
                 more; move by N(0, 1/8²). Either turn has probability 1 - √(1 - p), so that p is that of any
    color        add N(0, 0.2²); multiply by 2^N(0, 0.5²); invert the luma, half of the time; turn the hue by U(-π, π);
                 multiply the saturation by 2^N(0, 1). Grey images have neither hue nor saturation

`ada.transforms` names the groups: all three, the paper's "bgc", which found little use in filters, noise and cutout.
`ada.p` is p at the start, `ada.images` how many images take it from 0 to 1 (0: p stays as it is), `ada.interval` the
steps of D between two changes, `ada.target` the 0.6. p and r are curves in the run's events.

What differs: all that moves pixels is one bilinear sampling, mirrored at the borders; the paper first enlarges images
twofold with a wavelet filter and low-passes the outcome. So they blur a little when turned and may alias when shrunk.

r says something where the sign of a logit tells real from generated, as with the minimax, non-saturating and hinge
losses. With a Wasserstein critic, differences of answers, least squares to 0 and 1 or energies it does not: choose a p
and set `ada.images=0`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganbench import Augmentation, Batch, Images, Recipe, SampleSpec, UsageError, hookimpl
from ganbench_zoo.layers.warps import compose, moving, scaling, turning, warp


def uniform(x: Tensor, low: float, high: float) -> Tensor:
    """One number for each sample, `(B,)`."""
    return low + (high - low) * torch.rand(len(x), dtype=x.dtype, device=x.device)


def normal(x: Tensor, deviation: float) -> Tensor:
    """One number for each sample, `(B,)`."""
    return deviation * torch.randn(len(x), dtype=x.dtype, device=x.device)


def whole(x: Tensor, count: int) -> Tensor:
    """One of 0 … count - 1 for each sample, `(B,)`."""
    return torch.randint(count, (len(x),), device=x.device).to(x.dtype)


def sometimes(p: Tensor, *values: Tensor) -> Tensor:
    """The values `(B,)` of one transformation, or with probability 1 - p zeros, which stand for none: `(k, B)`."""
    return torch.stack(values) * (torch.rand_like(values[0]) < p)


def blit(x: Tensor, p: Tensor) -> list[Tensor]:
    """Where pixels come from, `(B, 3, 3)` each, for images `(B, C, H, W)`: whole pixels from whole pixels."""
    height, width = x.shape[2:]
    (flip,), (quarters,) = sometimes(p, whole(x, 2)), sometimes(p, whole(x, 4))
    cosine = (quarters == 0).to(x.dtype) - (quarters == 2).to(x.dtype)  # exact, as cos(π / 2) is not
    sine = (quarters == 1).to(x.dtype) - (quarters == 3).to(x.dtype)
    right, down = sometimes(p, uniform(x, -1 / 8, 1 / 8), uniform(x, -1 / 8, 1 / 8))
    return [
        scaling(1 - 2 * flip, torch.ones_like(flip)),
        turning(cosine, sine),
        moving(-(width * right).round(), -(height * down).round()),
    ]


def geometric(x: Tensor, p: Tensor) -> list[Tensor]:
    """Where pixels come from, `(B, 3, 3)` each."""
    height, width = x.shape[2:]
    p_turn = 1 - (1 - p).sqrt()
    (scale,), (stretch,) = sometimes(p, normal(x, 0.2)), sometimes(p, normal(x, 0.2))
    (first,), (second,) = (sometimes(p_turn, uniform(x, -math.pi, math.pi)) for _ in range(2))
    right, down = sometimes(p, normal(x, 1 / 8), normal(x, 1 / 8))
    return [
        scaling((-scale).exp2(), (-scale).exp2()),
        turning(first.cos(), first.sin()),
        scaling((-stretch).exp2(), stretch.exp2()),
        turning(second.cos(), second.sin()),
        moving(-width * right, -height * down),
    ]


def color(x: Tensor, p: Tensor) -> Tensor:
    """Images `(B, C, H, W)` of one or three channels, around 0, in other colours.

    The grey part m of a pixel (the mean of its channels) and its chroma x - m, at right angles to grey, go ways of
    their own: brightness and luma reach the one, hue and saturation the other, contrast both.
    """

    def drawn(values: Tensor) -> Tensor:
        return sometimes(p, values).reshape(-1, 1, 1, 1)

    brightness, contrast, luma = drawn(normal(x, 0.2)), drawn(normal(x, 0.5)).exp2(), 1 - 2 * drawn(whole(x, 2))
    grey = x.mean(1, keepdim=True)
    lit = luma * contrast * (grey + brightness)
    if x.shape[1] == 1:
        return lit
    hue, saturation = drawn(uniform(x, -math.pi, math.pi)), drawn(normal(x, 1.0)).exp2()
    chroma = x - grey
    across = (chroma.roll(1, 1) - chroma.roll(-1, 1)) / math.sqrt(3)  # a quarter turn around grey
    return lit + contrast * saturation * (hue.cos() * chroma + hue.sin() * across)


POSITIONS = {"blit": blit, "geometric": geometric}


class ADA(nn.Module):
    """Transforms before D, and their probability `p`, which follows D's answers."""

    p: Tensor
    r: Tensor
    tally: Tensor

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.transforms: tuple[str, ...] = recipe["ada.transforms"]
        if unknown := [name for name in self.transforms if name not in (*POSITIONS, "color")]:
            raise UsageError(f"ada.transforms takes {', '.join(POSITIONS)} and color, not {unknown[0]}")
        if not 0 <= recipe["ada.p"] <= 1:
            raise UsageError(f"ada.p is a probability: set it to a number from 0 to 1, not {recipe['ada.p']:g}")
        if recipe["ada.interval"] < 1 or recipe["ada.images"] < 0:
            raise UsageError("ada.interval counts steps, 1 or more, and ada.images images, 0 or more: set them so")
        self.interval: int = recipe["ada.interval"]
        self.target: float = recipe["ada.target"]
        images: int = recipe["ada.images"]
        self.pace: float = recipe["batch_size"] * self.interval / images if images else 0.0
        low, high = spec.range or (-1.0, 1.0)
        self.middle, self.unit = (low + high) / 2, (high - low) / 2
        self.register_buffer("p", torch.tensor(float(recipe["ada.p"])))
        self.register_buffer("r", torch.zeros(()))
        self.register_buffer("tally", torch.zeros(2))  # mean signs so far, and of how many steps

    def view(self, batch: Batch) -> Batch:
        """The batch with each image `(B, C, H, W)` transformed."""
        x: Any = batch.x
        maps = [m for name in POSITIONS if name in self.transforms for m in POSITIONS[name](x, self.p)]
        if maps:
            x = warp(x, compose(maps))
        if "color" in self.transforms:
            x = self.middle + self.unit * color((x - self.middle) / self.unit, self.p)
        return batch.but(x=x)

    @torch.no_grad()
    def after(self, turn: str, seen: Mapping[str, Sequence[Tensor]]) -> None:
        """Count D's signs after its turn, and adapt p when there are enough."""
        if turn != "D":
            return
        sign = torch.cat([answer.flatten() for answer in seen["real"]]).sign().mean()
        tally = self.tally + torch.stack([sign, torch.ones_like(sign)])
        r, due = tally[0] / tally[1], tally[1] >= self.interval
        self.r.copy_(torch.where(due, r, self.r))
        p = self.p + self.pace * (r - self.target).sign()
        self.p.copy_(torch.where(due, p.clamp(0, 1), self.p))
        self.tally.copy_(torch.where(due, 0.0, tally))


def fits(spec: SampleSpec, recipe: Recipe, others: tuple[str, ...]) -> str | None:
    """Images of any size, with one channel or three."""
    return Images().refuses(spec)


@hookimpl
def ganbench_augmentations() -> Iterator[Augmentation]:
    """ADA as published, but for its filters."""
    yield Augmentation(
        "ada",
        build=ADA,
        recipe=Recipe(
            {
                "ada.transforms": ("blit", "geometric", "color"),
                "ada.p": 0.0,
                "ada.target": 0.6,
                "ada.images": 500_000,
                "ada.interval": 4,
            }
        ),
        fits=fits,
        paper="arXiv:2006.06676",
    )
