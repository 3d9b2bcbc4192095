"""BigGAN on networks for small images.  Brock, Donahue & Simonyan 2019, arXiv:1809.11096, section 3 and appendix B.

    G: z = (z₀, z₁, z₂, z₃),  e = embedding(y)      z₀ → linear to 4×4 → [residual block, doubling, given (zᵢ, e)] × 3
       → batch norm → ReLU → 3×3 convolution → tanh
    D: four residual blocks → ReLU → sum over pixels: φ(x)      D(x, y) = ψ(φ(x)) + v_y · φ(x)

A block's batch norms have gains 1 + W (zᵢ, e) and biases V (zᵢ, e): each size is told z (skip-z), and all share one
embedding of the class. Both networks have a layer of self-attention on maps half as wide as the image; all weights
start orthogonal. Spectral norm of D comes along; the paper has it in G as well, and so has the preset `biggan`.

All maps have `width` channels, as in the authors' networks for CIFAR-10; those of the paper, for 128 pixels and more,
have fewer the larger they are. `shared` numbers are in e. With `truncate_at` t > 0 each number of a normal z is at
sampling one of N(0, 1) within [-t, t], the paper's truncation; 0 leaves it off. 28-pixel images grow from 7×7 maps,
whose first block keeps the resolution.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganbench import Answer, Architecture, Images, Recipe, SampleSpec, UsageError, hookimpl
from ganbench_zoo.layers.outputs import output_activation
from ganbench_zoo.layers.residual import DownBlock, UpBlock
from ganbench_zoo.layers.self_attention import SelfAttention

SIZES = (28, 32)
SLOTS = 4
"""Parts of z: of the first layer, and of each block."""


def orthogonal_init(net: nn.Module) -> None:
    """Orthogonal weights of convolutions, linear layers and embeddings, biases 0: Saxe et al. 2014, arXiv:1312.6120."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
            nn.init.orthogonal_(module.weight)
            if getattr(module, "bias", None) is not None:
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]


class ModulatedBatchNorm2d(nn.Module):
    """Maps `(B, channels, H, W)` and codes `(B, width)` to maps of the same shape."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain, self.bias = (nn.Linear(width, channels, bias=False) for _ in range(2))

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Normalized maps, scaled and shifted as their codes have it."""
        gain, bias = 1 + self.gain(code), self.bias(code)
        return self.norm(x) * gain[:, :, None, None] + bias[:, :, None, None]


class CodedUpBlock(nn.Module):
    """`(B, channels, H, W)` and codes `(B, width)` to `(B, channels, 2H, 2W)`, or with `up=False` to H, W."""

    def __init__(self, channels: int, width: int, up: bool) -> None:
        super().__init__()
        plain = UpBlock(channels, channels, "none", up)
        self.up = up
        self.norm1, self.norm2 = ModulatedBatchNorm2d(channels, width), ModulatedBatchNorm2d(channels, width)
        self.conv1, self.conv2, self.shortcut = plain.conv1, plain.conv2, plain.shortcut

    def _resize(self, h: Tensor) -> Tensor:
        return F.interpolate(h, scale_factor=2, mode="nearest") if self.up else h

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Feature maps to feature maps."""
        h = self.conv1(self._resize(F.relu(self.norm1(x, code))))
        return self.conv2(F.relu(self.norm2(h, code))) + self._resize(self.shortcut(x))


class Generator(nn.Module):
    """Latents `(B, latent)` and labels `(B,)` to images `(B, C, H, W)` of those classes, in `spec.range`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        channels, part = recipe["width"], recipe["latent"] // SLOTS
        if part * SLOTS != recipe["latent"] or not part:
            raise UsageError(f"biggan divides z into {SLOTS} parts: set latent to a multiple, not {recipe['latent']}")
        bottom = 7 if spec.shape[-1] == 28 else 4
        self.bound: float = recipe["truncate_at"]
        self.label = nn.Parameter(torch.empty(spec.classes, recipe["shared"]))  # spectral norm leaves it alone
        self.start = nn.Sequential(nn.Linear(part, channels * bottom**2), nn.Unflatten(1, (channels, bottom, bottom)))
        width = part + recipe["shared"]
        self.blocks = nn.ModuleList(CodedUpBlock(channels, width, up) for up in (bottom == 4, True, True))
        self.attention = SelfAttention(channels)
        last = nn.Conv2d(channels, spec.shape[0], 3, padding=1)
        self.output = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), last, output_activation(spec.range))
        orthogonal_init(self)
        nn.init.orthogonal_(self.label)

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        """One image for each latent and label."""
        if self.bound > 0 and not self.training:
            inside = math.erf(self.bound / math.sqrt(2))
            z = math.sqrt(2) * (inside * (z / math.sqrt(2)).erf()).erfinv()
        first, *parts = z.chunk(SLOTS, dim=1)
        label, h = F.embedding(y, self.label), self.start(first)
        for index, (block, part) in enumerate(zip(self.blocks, parts, strict=True)):
            h = block(h, torch.cat([part, label], dim=1))
            if index == 1:
                h = self.attention(h)
        return self.output(h)


class Discriminator(nn.Module):
    """Images `(B, C, H, W)` and labels `(B,)` to logits `(B,)`; its features, φ(x), know nothing of y: `(B, width)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.width: int = recipe["width"]
        self.blocks = nn.Sequential(
            DownBlock(spec.shape[0], self.width, first=True),
            SelfAttention(self.width),
            DownBlock(self.width, self.width),
            DownBlock(self.width, self.width, down=False),
            DownBlock(self.width, self.width, down=False),
        )
        self.output = nn.Linear(self.width, 1)
        self.label = nn.Embedding(spec.classes, self.width)
        orthogonal_init(self)

    def forward(self, x: Tensor, y: Tensor) -> Answer:
        """One logit for each pair of an image and a label."""
        features = F.relu(self.blocks(x)).sum((2, 3))
        logit = self.output(features).squeeze(1) + (self.label(y) * features).sum(1)
        return Answer(logit=logit, features=features)


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """BigGAN's networks for 28 and 32 pixels."""
    yield Architecture(
        "biggan",
        Generator,
        Discriminator,
        accepts=Images(SIZES),
        offers=("labels", "features", "per-sample-D"),
        brings=("spectral-norm",),
        recipe=Recipe(
            width=256,
            shared=128,
            latent=80,
            truncate_at=0.0,
            lr_G=5e-5,
            lr_D=2e-4,
            betas=(0.0, 0.999),
            d_steps=2,
            batch_size=256,
        ),
        paper="arXiv:1809.11096",
    )
