"""Path length regularization.  Karras et al. 2020 (StyleGAN2), arXiv:1912.04958, section 3.2 and eq. 4.

    E[(‖J_wᵀ y‖₂ - a)²],    J_w = ∂g(w)/∂w,    y ~ N(0, I) / √(pixels)

so that a step in w changes the image by the same amount everywhere. J_wᵀ y is the gradient of g(w) · y. With a style
for each layer, as `G.styles` gives them, ‖·‖² is the mean over layers. a is the moving average of the lengths so far,
this batch's included; it is 0 at first. Every 4th step of G, there 4 times, on half of a batch, with a weight of 2, as
the authors' program has it; `path-length.decay` is that of a, 0.99.

G hands out its styles: the trait `styles`. It has `styles(z)`, or `styles(z, y)`, to `(B, layers, n)`, and
`synthesis(styles)`, to samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ganbench import Batch, Recipe, Regularizer, SampleSpec, UsageError, hookimpl


class Lengths(nn.Module):
    """The moving average of the lengths; the sum and the number of those that it has not seen yet."""

    mean: Tensor
    new: Tensor

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.pace: float = 1 - recipe["path-length.decay"]
        self.share: float = recipe["path-length.share"]
        if not 0 < self.share <= 1:
            raise UsageError(f"path-length.share={self.share:g} is no share of a batch: set it above 0, at most 1")
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("new", torch.zeros(2))

    def after(self, turn: str) -> None:
        """Move the average, where G's turn has measured lengths."""
        if turn == "G":
            measured = self.new[1] > 0
            self.mean.lerp_(self.new[0] / self.new[1].clamp(min=1), self.pace * measured)
            self.new.zero_()


def lengths(net: Any, z: Tensor, y: Tensor | None = None) -> Tensor:
    """‖J_wᵀ y‖₂ of each sample for a random y, `(B,)`, differentiable."""
    with torch.enable_grad():
        styles = net.styles(z) if y is None else net.styles(z, y)
        if not styles.requires_grad:
            styles = styles.detach().requires_grad_()
        x = net.synthesis(styles)
        noise = torch.randn(x.shape, dtype=x.dtype, device=x.device) / math.sqrt(x[0, 0].numel())
        slope = torch.autograd.grad((x * noise).sum(), styles, create_graph=True)[0]
    return (slope.square().sum(2).mean(1) + 1e-12).sqrt()


def generator(G: Any, latents: Batch, spec: SampleSpec, own: Lengths) -> Tensor:
    """Squared distances of the lengths from their average, their mean."""
    z: Any = latents.z
    count = math.ceil(len(z) * own.share)
    y = latents.y[:count] if spec.classes and latents.y is not None else None
    found = lengths(G.net, z[:count], y)
    with torch.no_grad():
        own.new.add_(torch.stack([found.sum(), torch.ones_like(found).sum()]))
        average = torch.lerp(own.mean, found.mean(), own.pace)
    return (found - average).square().mean()


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Path length regularization."""
    yield Regularizer(
        "path-length",
        generator=generator,
        build=Lengths,
        every=4,
        requires=("styles",),
        recipe=Recipe({"path-length.weight": 2.0, "path-length.decay": 0.99, "path-length.share": 0.5}),
        couples_samples=True,
        paper="arXiv:1912.04958",
    )
