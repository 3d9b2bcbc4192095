"""Projection discriminator, on a ResNet for small images.  Miyato & Koyama 2018, arXiv:1802.05637, section 3.

    D(x, y) = ⟨v_y, φ(x)⟩ + ψ(φ(x)),    φ(x): pooled maps,    ψ linear,    v_y: a learnt vector for each class y

Where the two class distributions are log-linear in φ(x), so is their ratio, whose logarithm an ideal D tells: hence the
inner product. In G the classes choose the gains and biases of the batch norms. Both are the networks of the `resnet`,
SNGAN's for CIFAR-10, as in the paper's appendix A, with its recipe and the spectral norm of D's weights, of v as well
(`--set spectral-norm.on=false` leaves it out).
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.conditional_resnet import RECIPE, SIZES, ConditionalResNetGenerator, ResNetFeatures
from ganbench_zoo.layers.initializers import xavier_init
from ganbench_zoo.layers.norms import per_sample


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` and labels `(B,)` to logits `(B,)`; its features, φ(x), know nothing of y: `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.features = ResNetFeatures(spec, recipe)
        self.width: int = self.features.width
        self.output = nn.Linear(self.width, 1, bias=False)
        self.label = nn.Embedding(spec.classes, self.width)
        xavier_init(self.output)
        nn.init.xavier_uniform_(self.label.weight)

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
    """The resnet with a projection discriminator."""
    yield Architecture(
        "projection-resnet",
        ConditionalResNetGenerator,
        Discriminator,
        accepts=Images(SIZES),
        offers=traits,
        brings=("spectral-norm",),
        recipe=RECIPE,
        paper="arXiv:1802.05637",
    )
