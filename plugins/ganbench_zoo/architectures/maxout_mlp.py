"""The networks of PacGAN's experiments on points.  Lin, Khetan, Fanti & Oh 2018, arXiv:1712.04086, section 4.1.

    G: z → [linear, batch norm, ReLU] × 4 of 400 → linear
    D: x → [maxout of 5 linear pieces, 200] × 3 → linear       Goodfellow et al. 2013, arXiv:1302.4389

Weights start from N(0, 0.02²), biases from 0. `dropout` is D's, before every layer but the first; the authors' program
has it at 0.5 and leaves it switched off, as it is here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor, nn

from ganbench import Answer, Architecture, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.initializers import normal_init
from ganbench_zoo.layers.outputs import output_activation


class Maxout(nn.Module):
    """`(B, inputs)` to `(B, outputs)`: the largest of several linear maps, for each output."""

    def __init__(self, inputs: int, outputs: int, pieces: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs * pieces)
        self.pieces = pieces

    def forward(self, h: Tensor) -> Tensor:
        """The largest piece of each output."""
        return self.linear(h).unflatten(1, (-1, self.pieces)).amax(2)


class Generator(nn.Module):
    """Latents `(B, latent)` to samples `(B, *spec.shape)` in `spec.range`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        inputs, width = recipe["latent"], 2 * recipe["width"]
        layers: list[nn.Module] = []
        for _ in range(recipe["depth"] + 1):
            layers += [nn.Linear(inputs, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
            inputs = width
        size = math.prod(spec.shape)
        self.layers = nn.Sequential(
            *layers, nn.Linear(width, size), output_activation(spec.range), nn.Unflatten(1, spec.shape)
        )
        initialise(self)

    def forward(self, z: Tensor) -> Tensor:
        """One sample for each latent."""
        return self.layers(z)


class Discriminator(nn.Module):
    """Samples `(B, *spec.shape)` to logits `(B,)`; its features are the last hidden layer, `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.width: int = recipe["width"]
        layers: list[nn.Module] = [Maxout(math.prod(spec.shape), self.width, recipe["pieces"])]
        for _ in range(recipe["depth"] - 1):
            layers += [nn.Dropout(recipe["dropout"]), Maxout(self.width, self.width, recipe["pieces"])]
        self.hidden = nn.Sequential(nn.Flatten(), *layers, nn.Dropout(recipe["dropout"]))
        self.output = nn.Linear(self.width, 1)
        initialise(self)

    def forward(self, x: Tensor) -> Answer:
        """One logit and one row of features for each sample."""
        features = self.hidden(x)
        return Answer(logit=self.output(features).squeeze(1), features=features)


def initialise(net: nn.Module) -> None:
    """Linear layers as the paper has them; gains of batch norms stay 1."""
    for module in net.modules():
        if isinstance(module, nn.Linear):
            normal_init(module)


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """The networks; `width` and `depth` are D's, G is twice as wide and one layer deeper."""
    yield Architecture(
        "maxout-mlp",
        Generator,
        Discriminator,
        offers=("features", "per-sample-D"),
        recipe=Recipe(width=200, depth=3, pieces=5, dropout=0.0, latent=2, lr=1e-4, betas=(0.8, 0.999), batch_size=100),
        paper="arXiv:1712.04086",
    )
