"""AC-GAN on the networks of DCGAN.  Odena, Olah & Shlens 2017, arXiv:1610.09585, section 4.

D sees no label: beside the logit it answers one logit for each class, from the same features. G takes the label beside
z. Networks and recipe are those of `cdcgan` otherwise; the paper's own for CIFAR-10 have 5×5 kernels in G, and in D
dropout and maps of other widths. What trains the classifier, `auxiliary-classifier`, comes along.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.conditional_dcgan import RECIPE, SIZES, ConditionalDCGANGenerator, DCGANFeatures
from ganbench_zoo.layers.initializers import normal_init
from ganbench_zoo.layers.norms import per_sample


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` to logits `(B,)`, class logits `(B, classes)` and features `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.features = DCGANFeatures(spec, recipe)
        self.width: int = self.features.width
        self.output = nn.Linear(self.width, 1)
        self.classifier = nn.Linear(self.width, spec.classes)
        normal_init(self)

    def forward(self, x: Tensor) -> Answer:
        """Whether each image is real, and what it shows."""
        features = self.features(x)
        return Answer(self.output(features).squeeze(1), features, self.classifier(features))


def traits(spec: SampleSpec, recipe: Recipe) -> tuple[str, ...]:
    """Labels, features and class logits; each sample on its own unless D has a batch norm."""
    always = ("labels", "features", "classes")
    return (*always, "per-sample-D") if per_sample(recipe["norm_D"]) else always


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """The dcgan with an auxiliary classifier."""
    yield Architecture(
        "ac-dcgan",
        ConditionalDCGANGenerator,
        Discriminator,
        accepts=Images(SIZES),
        offers=traits,
        brings=("auxiliary-classifier",),
        recipe=RECIPE,
        paper="arXiv:1610.09585",
    )
