"""Multilayer perceptrons, for samples of any shape.  After Goodfellow et al. 2014, arXiv:1406.2661.

    G: z → [linear, norm, ReLU] × depth → linear → tanh (where the data is bounded)
    D: x → [linear, norm, LeakyReLU 0.2] × depth → linear

The original's maxout units and dropout gave way to LeakyReLU, and G has a batch norm: without it G collapses onto one
mode of a ring of eight Gaussians, with it all eight are found. `depth` counts hidden layers of `width` units each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor, nn

from ganbench import Answer, Architecture, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.norms import norm1d, per_sample
from ganbench_zoo.layers.outputs import output_activation


def _hidden(inputs: int, width: int, depth: int, norm: str, activation: nn.Module) -> nn.Sequential:
    """`depth` layers, `(B, inputs)` to `(B, width)`; before a batch norm a bias would do nothing and is left out."""
    layers: list[nn.Module] = []
    for i in range(depth):
        linear = nn.Linear(inputs if i == 0 else width, width, bias=norm != "batch")
        layers += [linear, norm1d(norm, width), activation]
    return nn.Sequential(*layers)


class Generator(nn.Module):
    """Latents `(B, latent)` to samples `(B, *spec.shape)` in `spec.range`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.hidden = _hidden(recipe["latent"], recipe["width"], recipe["depth"], recipe["norm_G"], nn.ReLU())
        self.output = nn.Sequential(
            nn.Linear(recipe["width"], math.prod(spec.shape)),
            output_activation(spec.range),
            nn.Unflatten(1, spec.shape),
        )

    def forward(self, z: Tensor) -> Tensor:
        """One sample for each latent."""
        return self.output(self.hidden(z))


class Discriminator(nn.Module):
    """Samples `(B, *spec.shape)` to logits `(B,)`; its features are the last hidden layer, `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.width: int = recipe["width"]
        self.hidden = _hidden(math.prod(spec.shape), self.width, recipe["depth"], recipe["norm_D"], nn.LeakyReLU(0.2))
        self.output = nn.Linear(self.width, 1)

    def forward(self, x: Tensor) -> Answer:
        """One logit and one row of features for each sample."""
        features = self.hidden(x.flatten(1))
        return Answer(logit=self.output(features).squeeze(1), features=features)


def traits(spec: SampleSpec, recipe: Recipe) -> tuple[str, ...]:
    """Features always; each sample on its own unless D has a batch norm."""
    return ("features", "per-sample-D") if per_sample(recipe["norm_D"]) else ("features",)


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """The mlp."""
    yield Architecture(
        "mlp",
        Generator,
        Discriminator,
        offers=traits,
        recipe=Recipe(width=256, depth=3, norm_G="batch", norm_D="none", lr=2e-4, betas=(0.5, 0.999)),
        paper="arXiv:1406.2661",
    )
