"""ResNet for small images.  Miyato, Kataoka, Koyama & Yoshida 2018, arXiv:1802.05957, table 4 (SNGAN on CIFAR-10).

    G: z → linear to 4×4×256 → [UpBlock 256] × 3 → norm → ReLU → 3×3 convolution → tanh
    D: x → DownBlock 128 → DownBlock 128 → [block 128] × 2 → ReLU → sum over pixels → linear (no bias)

`width` is D's number of channels and `width_ratio` G's multiple of it. The spectral norm of D's weights is the
component `spectral-norm`, which comes along; `--set spectral-norm.on=false` leaves it out. With `width_ratio=1`,
`pool="mean"` and no spectral norm this is the CIFAR-10 ResNet of WGAN-GP (Gulrajani et al. 2017, arXiv:1704.00028).
28-pixel images grow from 7×7 maps, whose first block keeps the resolution; D's maps are then 14, 7, 7, 7 pixels wide.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, UsageError, hookimpl
from ganbench_zoo.layers.initializers import xavier_init
from ganbench_zoo.layers.norms import norm2d, per_sample
from ganbench_zoo.layers.outputs import output_activation
from ganbench_zoo.layers.residual import DownBlock, UpBlock


class Generator(nn.Module):
    """Latents `(B, latent)` to images `(B, C, H, W)` in `spec.range`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        width: int = recipe["width"] * recipe["width_ratio"]
        norm: str = recipe["norm_G"]
        bottom = 7 if spec.shape[-1] == 28 else 4
        linear = nn.Linear(recipe["latent"], width * bottom**2)
        convolution = nn.Conv2d(width, spec.shape[0], 3, padding=1)
        xavier_init(linear)
        xavier_init(convolution)
        self.layers = nn.Sequential(
            linear,
            nn.Unflatten(1, (width, bottom, bottom)),
            UpBlock(width, width, norm, up=bottom == 4),
            UpBlock(width, width, norm),
            UpBlock(width, width, norm),
            norm2d(norm, width),
            nn.ReLU(),
            convolution,
            output_activation(spec.range),
        )

    def forward(self, z: Tensor) -> Tensor:
        """One image for each latent."""
        return self.layers(z)


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` to logits `(B,)`; its features are the pooled maps, `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.width: int = recipe["width"]
        self.pool: str = recipe["pool"]
        if self.pool not in ("sum", "mean"):
            raise UsageError(f"resnet cannot pool by {self.pool!r}: set pool to sum or mean")
        norm: str = recipe["norm_D"]
        self.blocks = nn.Sequential(
            DownBlock(spec.shape[0], self.width, first=True),
            DownBlock(self.width, self.width, norm),
            DownBlock(self.width, self.width, norm, down=False),
            DownBlock(self.width, self.width, norm, down=False),
        )
        self.output = nn.Linear(self.width, 1, bias=False)
        xavier_init(self.output)

    def forward(self, x: Tensor) -> Answer:
        """One logit and one row of features for each image."""
        h = F.relu(self.blocks(x))
        features = h.sum((2, 3)) if self.pool == "sum" else h.mean((2, 3))
        return Answer(logit=self.output(features).squeeze(1), features=features)


def traits(spec: SampleSpec, recipe: Recipe) -> tuple[str, ...]:
    """Features always; each sample on its own unless D has a batch norm."""
    return ("features", "per-sample-D") if per_sample(recipe["norm_D"]) else ("features",)


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """The resnet."""
    yield Architecture(
        "resnet",
        Generator,
        Discriminator,
        accepts=Images((28, 32)),
        offers=traits,
        brings=("spectral-norm",),
        recipe=Recipe(
            width=128,
            width_ratio=2,
            norm_G="batch",
            norm_D="none",
            pool="sum",
            latent=128,
            lr=2e-4,
            betas=(0.0, 0.9),
            batch_size=64,
        ),
        paper="arXiv:1802.05957",
    )
