"""AC-GAN on the networks of DCGAN.  Odena, Olah & Shlens 2017, arXiv:1610.09585, section 4; arXiv:1511.06434.

    G: (z, one-hot c) → linear to b×b → norm → ReLU → [4×4 transposed convolution, stride 2 → norm → ReLU] … → tanh
    D: x → [4×4 convolution, stride 2 → norm (not on the first) → LeakyReLU 0.2] … → linear to a logit
                                                                                   → linear to a logit for each class

D sees no label and answers with the class as well. What trains that, `auxiliary-classifier`, comes along. G is that of
`cdcgan`; all else of `dcgan`, and its recipe. The paper's own networks for CIFAR-10 have 5×5 kernels in G, and in D
dropout and maps of other widths.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, hookimpl
from ganbench_zoo.layers.initializers import normal_init
from ganbench_zoo.layers.labels import append_labels
from ganbench_zoo.layers.norms import cancels_bias, norm2d, per_sample
from ganbench_zoo.layers.outputs import output_activation


def _pyramid(size: int, width: int) -> tuple[int, list[int]]:
    """Pixels of the coarsest maps, and the channels of all maps from the finest to the coarsest."""
    bottom = 7 if size % 7 == 0 else 4
    stages = (size // bottom).bit_length() - 1
    return bottom, [width * 2**i for i in range(stages)]


class Generator(nn.Module):
    """Latents `(B, latent)` and labels `(B,)` to images `(B, C, H, W)` of those classes, in `spec.range`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.classes = spec.classes
        bottom, channels = _pyramid(spec.shape[-1], recipe["width"])
        norm: str = recipe["norm_G"]
        bias = not cancels_bias(norm)
        top = channels[-1]
        layers: list[nn.Module] = [
            nn.Linear(recipe["latent"] + spec.classes, top * bottom**2, bias=bias),
            nn.Unflatten(1, (top, bottom, bottom)),
            norm2d(norm, top),
            nn.ReLU(),
        ]
        for coarse, fine in pairwise(reversed(channels)):
            layers += [nn.ConvTranspose2d(coarse, fine, 4, 2, 1, bias=bias), norm2d(norm, fine), nn.ReLU()]
        layers += [nn.ConvTranspose2d(channels[0], spec.shape[0], 4, 2, 1), output_activation(spec.range)]
        self.layers = nn.Sequential(*layers)
        normal_init(self)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """One image for each latent and label."""
        return self.layers(append_labels(z, y, self.classes))


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` to logits `(B,)` and class logits `(B, classes)`; its features are the coarsest maps,
    flattened: `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        bottom, channels = _pyramid(spec.shape[-1], recipe["width"])
        norm: str = recipe["norm_D"]
        layers: list[nn.Module] = [nn.Conv2d(spec.shape[0], channels[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for fine, coarse in pairwise(channels):
            convolution = nn.Conv2d(fine, coarse, 4, 2, 1, bias=not cancels_bias(norm))
            layers += [convolution, norm2d(norm, coarse), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.width: int = channels[-1] * bottom**2
        self.output = nn.Linear(self.width, 1)
        self.classifier = nn.Linear(self.width, spec.classes)
        normal_init(self)

    def forward(self, x: Tensor) -> Answer:
        """Whether each image is real, and what it shows."""
        features = self.layers(x)
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
        Generator,
        Discriminator,
        accepts=Images((28, 32, 64)),
        offers=traits,
        brings=("auxiliary-classifier",),
        recipe=Recipe(
            width=64, norm_G="batch", norm_D="batch", latent=100, lr=2e-4, betas=(0.5, 0.999), batch_size=128
        ),
        paper="arXiv:1610.09585",
    )
