"""Projection discriminator on the networks of DCGAN.  Miyato & Koyama 2018, arXiv:1802.05637, section 3.

    D(x, y) = ⟨v_y, φ(x)⟩ + ψ(φ(x)),    φ(x): the coarsest maps,    ψ linear,    v_y: a learnt vector for each class y

G and the recipe are those of `cdcgan` and `ac-dcgan`, so that the three differ in one thing: how D is told of the class
(beside the image, by the projection, or not at all, being asked for it). The paper's own networks are ResNets
(`projection-resnet`).
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.conditional_dcgan import RECIPE, SIZES, ConditionalDCGANGenerator, DCGANFeatures
from ganbench_zoo.layers.initializers import normal_init
from ganbench_zoo.layers.norms import per_sample


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` and labels `(B,)` to logits `(B,)`; its features, φ(x), know nothing of y: `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.features = DCGANFeatures(spec, recipe)
        self.width: int = self.features.width
        self.output = nn.Linear(self.width, 1)
        self.label = nn.Embedding(spec.classes, self.width)
        normal_init(self)
        nn.init.normal_(self.label.weight, 0.0, 0.02)

    def forward(self, x: Tensor, y: Tensor) -> Answer:
        """One logit for each pair of an image and a label."""
        features = self.features(x)
        projection = (self.label(y) * features).sum(1)
        return Answer(logit=self.output(features).squeeze(1) + projection, features=features)


def traits(spec: SampleSpec, recipe: Recipe) -> tuple[str, ...]:
    """Labels and features; each sample on its own unless D has a batch norm."""
    always = ("labels", "features")
    return (*always, "per-sample-D") if per_sample(recipe["norm_D"]) else always


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """The dcgan with a projection discriminator."""
    yield Architecture(
        "projection-dcgan",
        ConditionalDCGANGenerator,
        Discriminator,
        accepts=Images(SIZES),
        offers=traits,
        recipe=RECIPE,
        paper="arXiv:1802.05637",
    )
