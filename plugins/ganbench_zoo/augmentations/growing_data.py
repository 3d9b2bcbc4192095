"""Real images at the resolution that networks which grow are at.  Karras et al. 2018, arXiv:1710.10196, section 2.

    x → (1 - α) x₍ₖ₋₁₎ + α x₍ₖ₎        x₍ₖ₎: each square of pixels that stage k cannot tell apart in its mean colour

α goes from 0 to 1 while stage k fades in, as G's images do by themselves. What lies between real and generated samples
(`gradient-penalty`) is treated like real ones. It belongs to `progan`, whose trait `grows` it requires; `grown` is the
share of the budget by which all stages have faded in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ganbench import Augmentation, Batch, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.growth import Growing, coarsened


class GrowingData(Growing):
    """Blurs real images as far as the networks have not grown."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe["grown"])

    def view(self, batch: Batch) -> Batch:
        """The batch with images `(B, C, H, W)` that a G of this stage could make."""
        if batch.origin == "fake":
            return batch
        x: Any = batch.x
        left = self.count - 1 - self.stage
        fine = coarsened(x, left)
        if self.blend == 1:
            return batch.but(x=fine) if left else batch
        return batch.but(x=coarsened(x, left + 1).lerp(fine, self.blend))


@hookimpl
def ganbench_augmentations() -> Iterator[Augmentation]:
    """Data that grows."""
    yield Augmentation("growing-data", build=GrowingData, requires=("grows",), paper="arXiv:1710.10196")
