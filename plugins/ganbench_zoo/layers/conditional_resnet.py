"""The ResNet for small images with a class-conditional generator; what discriminators on it share.

Miyato & Koyama 2018, arXiv:1802.05637, appendix A: the networks of SNGAN (arXiv:1802.05957, table 4), and in G

    z → linear to 4×4×256 → [UpBlock 256, conditional batch norms] × 3 → batch norm → ReLU → 3×3 convolution → tanh
    x → DownBlock 128 → DownBlock 128 → [block 128] × 2 → ReLU → sum over pixels

`width` is D's number of channels, `width_ratio` G's multiple of it. 28-pixel images grow from 7×7 maps, whose first
block keeps the resolution; D's maps are then 14, 7, 7, 7 pixels wide.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ganbench import Recipe, SampleSpec, UsageError
from ganbench_zoo.layers.conditional_residual import ConditionalUpBlock
from ganbench_zoo.layers.initializers import xavier_init
from ganbench_zoo.layers.outputs import output_activation
from ganbench_zoo.layers.residual import DownBlock

SIZES = (28, 32)
RECIPE = Recipe(
    width=128, width_ratio=2, norm_D="none", pool="sum", latent=128, lr=2e-4, betas=(0.0, 0.9), batch_size=64
)


class ConditionalResNetGenerator(nn.Module):
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


class ResNetFeatures(nn.Module):
    """Images `(B, C, H, W)` to pooled maps φ(x), `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.width: int = recipe["width"]
        self.pool: str = recipe["pool"]
        if self.pool not in ("sum", "mean"):
            raise UsageError(f"D cannot pool by {self.pool!r}: set pool to sum or mean")
        norm: str = recipe["norm_D"]
        self.blocks = nn.Sequential(
            DownBlock(spec.shape[0], self.width, first=True),
            DownBlock(self.width, self.width, norm),
            DownBlock(self.width, self.width, norm, down=False),
            DownBlock(self.width, self.width, norm, down=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """One row of features for each image."""
        h = F.relu(self.blocks(x))
        return h.sum((2, 3)) if self.pool == "sum" else h.mean((2, 3))
