"""Packing.  Lin, Khetan, Fanti & Oh 2018 (PacGAN), arXiv:1712.04086.

    D sees m samples as one,    D(x₁, …, xₘ),    all of them real or all of them generated

so that it also sees how much they vary, and a generator that lost modes is found out. Samples are joined along their
first axis (images: the channels), for which D is built; a batch of B samples is B / m packs, with one answer for each.
`packing.m` is m: the paper's PacDCGAN2 has 2.

It goes with every loss that compares answers alone, but not with penalties on D's slope at single samples, which would
see a part of the slope at a pack: hence the trait that it removes. Nor with class labels, for a pack has no class.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from ganbench import Augmentation, Batch, Recipe, SampleSpec, UsageError, hookimpl


class Packing(nn.Module):
    """Joins samples right before D, behind all that is done to single ones."""

    order = "pack"

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.m: int = recipe["packing.m"]

    def sees(self, spec: SampleSpec) -> SampleSpec:
        """The form of a pack: `(m C, …)`."""
        return spec.but(shape=(self.m * spec.shape[0], *spec.shape[1:]))

    def view(self, batch: Batch) -> Batch:
        """Samples `(B, C, …)` to packs `(B / m, m C, …)` of m that follow each other."""
        x: Any = batch.x
        if len(x) % self.m:
            raise UsageError(f"{len(x)} samples are no packs of {self.m}: set packing.m or batch_size")
        return batch.but(x=x.reshape(len(x) // self.m, self.m * x.shape[1], *x.shape[2:]))


def fits(spec: SampleSpec, recipe: Recipe, others: tuple[str, ...]) -> str | None:
    """Every batch that D is asked about is made of whole packs."""
    m, count = recipe["packing.m"], recipe["batch_size"] // recipe["accumulate"]
    if m < 1:
        return f"packing.m={m}, and a pack has at least one sample"
    chunk = "batch_size" if recipe["accumulate"] == 1 else "batch_size / accumulate"
    return f"packing.m={m} does not divide {chunk}={count}: set one of them" if count % m else None


@hookimpl
def ganbench_augmentations() -> Iterator[Augmentation]:
    """Packs of two."""
    yield Augmentation(
        "packing",
        build=Packing,
        recipe=Recipe({"packing.m": 2}),
        forbids=("labels",),
        removes=("per-sample-D",),
        fits=fits,
        couples_samples=True,
        paper="arXiv:1712.04086",
    )
