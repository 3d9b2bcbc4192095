"""Projection discriminator, on a ResNet for small images.  Miyato & Koyama 2018, arXiv:1802.05637, section 3.

    D(x, y) = ⟨v_y, φ(x)⟩ + ψ(φ(x)),    φ(x): pooled maps,    ψ linear,    v_y: a learnt vector for each class y

Where the two class distributions are log-linear in φ(x), so is their ratio, whose logarithm an ideal D tells: hence the
inner product. In G the classes choose the gains and biases of the batch norms:

    G: z → linear to 4×4×256 → [UpBlock 256, conditional norms] × 3 → batch norm → ReLU → 3×3 convolution → tanh
    D: x → DownBlock 128 → DownBlock 128 → [block 128] × 2 → ReLU → sum over pixels = φ(x)

These are the networks of the `resnet`, SNGAN's for CIFAR-10, as in the paper's appendix A, with its recipe and the
spectral norm of D's weights, of v as well (`--set spectral-norm.on=false` leaves it out). 28-pixel images grow from 7×7
maps, whose first block keeps the resolution; D's maps are then 14, 7, 7, 7 pixels wide.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, UsageError, hookimpl
from ganbench_zoo.layers.conditional_residual import ConditionalUpBlock
from ganbench_zoo.layers.initializers import xavier_init
from ganbench_zoo.layers.norms import per_sample
from ganbench_zoo.layers.outputs import output_activation
from ganbench_zoo.layers.residual import DownBlock


class Generator(nn.Module):
    """Latents `(B, latent)` and labels `(B,)` to images `(B, C, H, W)` of those classes, in `spec.range`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        width: int = recipe["width"] * recipe["width_ratio"]
        bottom = 7 if spec.shape[-1] == 28 else 4
        linear = nn.Linear(recipe["latent"], width * bottom**2)
        convolution = nn.Conv2d(width, spec.shape[0], 3, padding=1)
        xavier_init(linear)
        xavier_init(convolution)
        self.start = nn.Sequential(linear, nn.Unflatten(1, (width, bottom, bottom)))
        self.blocks = nn.ModuleList(
            ConditionalUpBlock(width, width, spec.classes, up) for up in (bottom == 4, True, True)
        )
        self.output = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), convolution, output_activation(spec.range))

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """One image for each latent and label."""
        h = self.start(z)
        for block in self.blocks:
            h = block(h, y)
        return self.output(h)


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` and labels `(B,)` to logits `(B,)`; its features, φ(x), know nothing of y: `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.width: int = recipe["width"]
        self.pool: str = recipe["pool"]
        if self.pool not in ("sum", "mean"):
            raise UsageError(f"projection-resnet cannot pool by {self.pool!r}: set pool to sum or mean")
        norm: str = recipe["norm_D"]
        self.blocks = nn.Sequential(
            DownBlock(spec.shape[0], self.width, first=True),
            DownBlock(self.width, self.width, norm),
            DownBlock(self.width, self.width, norm, down=False),
            DownBlock(self.width, self.width, norm, down=False),
        )
        self.output = nn.Linear(self.width, 1, bias=False)
        self.label = nn.Embedding(spec.classes, self.width)
        xavier_init(self.output)
        nn.init.xavier_uniform_(self.label.weight)

    def forward(self, x: Tensor, y: Tensor) -> Answer:
        """One logit for each pair of an image and a label."""
        h = F.relu(self.blocks(x))
        features = h.sum((2, 3)) if self.pool == "sum" else h.mean((2, 3))
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
        Generator,
        Discriminator,
        accepts=Images((28, 32)),
        offers=traits,
        brings=("spectral-norm",),
        recipe=Recipe(
            width=128,
            width_ratio=2,
            norm_D="none",
            pool="sum",
            latent=128,
            lr=2e-4,
            betas=(0.0, 0.9),
            batch_size=64,
        ),
        paper="arXiv:1802.05637",
    )
