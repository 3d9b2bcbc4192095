"""Self-attention on the ResNet for small images.  Zhang, Goodfellow, Metaxas & Odena 2019 (SAGAN), arXiv:1805.08318.

The networks of `projection-resnet` (conditional batch norms in G, projection in D, as SAGAN has them), each with one
layer of self-attention on maps half as wide as the image: after G's second block and after D's first. So a place sees
all others at once, where a convolution sees its neighbours. The spectral norm of D's weights comes along; the paper has
it in G as well, and so has the preset `sagan`.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.conditional_resnet import RECIPE, SIZES, ConditionalResNetGenerator, ResNetFeatures
from ganbench_zoo.layers.initializers import xavier_init
from ganbench_zoo.layers.norms import per_sample
from ganbench_zoo.layers.self_attention import SelfAttention


class Generator(ConditionalResNetGenerator):
    """Latents `(B, latent)` and labels `(B,)` to images `(B, C, H, W)` of those classes, in `spec.range`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        self.attention = SelfAttention(recipe["width"] * recipe["width_ratio"])

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """One image for each latent and label."""
        first, second, third = self.blocks
        h = self.attention(second(first(self.start(z), y), y))
        return self.output(third(h, y))


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` and labels `(B,)` to logits `(B,)`; its features, φ(x), know nothing of y: `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.features = ResNetFeatures(spec, recipe)
        self.width: int = self.features.width
        self.features.blocks.insert(1, SelfAttention(self.width))
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
    """The projection resnet with self-attention."""
    yield Architecture(
        "attention-resnet",
        Generator,
        Discriminator,
        accepts=Images(SIZES),
        offers=traits,
        brings=("spectral-norm",),
        recipe=RECIPE,
        paper="arXiv:1805.08318",
    )
