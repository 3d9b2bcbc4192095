"""Instance noise.  Sønderby, Caballero, Theis, Shi & Huszár 2016, arXiv:1610.04490.

    D sees x + ε,    ε ~ N(0, σ² I),    σ = σ₀ max(0, 1 - t / T)

for real and generated samples alike, so that the two distributions overlap from the start; t is the share of the budget
that is used. Samples of any modality; `instance-noise.sigma` is σ₀ in units of half the data's range (of 1 where it is
unbounded), `instance-noise.until` is T. That σ falls along a line, from 0.1 to the end of the run, is our choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ganbench import Augmentation, Batch, Recipe, SampleSpec, UsageError, hookimpl


class InstanceNoise(nn.Module):
    """Noise before D, behind other augmentations."""

    order = "noise"

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        sigma, until = recipe["instance-noise.sigma"], recipe["instance-noise.until"]
        if sigma < 0:
            raise UsageError(f"instance-noise.sigma is a standard deviation: set it to 0 or more, not {sigma:g}")
        if not 0 < until <= 1:
            raise UsageError(f"instance-noise.until is a share of the budget: set it above 0 to 1, not {until:g}")
        low, high = spec.range or (-1.0, 1.0)
        self.sigma: float = sigma * (high - low) / 2
        self.until: float = until

    def view(self, batch: Batch, progress: Tensor) -> Batch:
        """The batch with noise on its samples `(B, …)`."""
        if self.sigma == 0:
            return batch
        x: Any = batch.x
        noise = torch.randn(x.shape, dtype=x.dtype, device=x.device)  # not `randn_like`: a layout of x would order it
        return batch.but(x=x + self.sigma * (1 - progress / self.until).clamp(min=0) * noise)


@hookimpl
def ganbench_augmentations() -> Iterator[Augmentation]:
    """Instance noise that is gone by the end."""
    yield Augmentation(
        "instance-noise",
        build=InstanceNoise,
        recipe=Recipe({"instance-noise.sigma": 0.1, "instance-noise.until": 1.0}),
        paper="arXiv:1610.04490",
    )
