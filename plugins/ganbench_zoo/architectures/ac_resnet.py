"""AC-GAN on a ResNet for small images.  Odena, Olah & Shlens 2017, arXiv:1610.09585, section 4.

D sees no label: beside the logit it answers one logit for each class, from the same features. G takes the class in its
batch norms. As in the comparison on CIFAR by Miyato & Koyama 2018, arXiv:1802.05637, appendix A, these are the networks
of `projection-resnet`, its recipe and its spectral norm, with a linear layer in place of the projection. What trains
it, `auxiliary-classifier`, comes along.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.conditional_resnet import RECIPE, SIZES, ConditionalResNetGenerator, ResNetFeatures
from ganbench_zoo.layers.initializers import xavier_init
from ganbench_zoo.layers.norms import per_sample


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` to logits `(B,)`, class logits `(B, classes)` and features `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.features = ResNetFeatures(spec, recipe)
        self.width: int = self.features.width
        self.output = nn.Linear(self.width, 1, bias=False)
        self.classifier = nn.Linear(self.width, spec.classes)
        xavier_init(self.output)
        xavier_init(self.classifier)

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
    """The resnet with an auxiliary classifier."""
    yield Architecture(
        "ac-resnet",
        ConditionalResNetGenerator,
        Discriminator,
        accepts=Images(SIZES),
        offers=traits,
        brings=("spectral-norm", "auxiliary-classifier"),
        recipe=RECIPE,
        paper="arXiv:1610.09585",
    )
