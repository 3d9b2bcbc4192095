"""A vision transformer with scaled residual branches.  Dosovitskiy et al. 2021, arXiv:2010.11929; Touvron et al. 2021,
arXiv:2103.17239; in the form of Oquab et al. 2023, arXiv:2304.07193.

    t = [class token, patches · W + b] + positions;    each block: t += γ₁ · attention(norm(t)), t += γ₂ · mlp(norm(t))

The answer is the class token after a last norm. Parameters carry the names of DINOv2's published files.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPS = 1e-6
"""Of every layer norm."""
OFFSET = 0.1
"""Added to the number of patches when positions are stretched, as in training; without it features differ slightly."""


class Scale(nn.Module):
    """`(…, width)` times a learnt factor for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class Attention(nn.Module):
    """Self-attention over tokens `(B, T, width)`, with one matrix for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class MLP(nn.Module):
    """Two layers of each token `(B, T, width)`, the inner one four times as wide."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    """Attention and MLP, each behind a norm and with a scaled residual: `(B, T, width)` to the same."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=EPS), nn.LayerNorm(width, eps=EPS)
        self.attn, self.mlp = Attention(width, heads), MLP(width)
        self.ls1, self.ls2 = Scale(width), Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class Patches(nn.Module):
    """Images `(B, 3, H, W)` to tokens `(B, H/patch · W/patch, width)`, row by row."""

    def __init__(self, width: int, patch: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x).flatten(2).transpose(1, 2)


class VisionTransformer(nn.Module):
    """Normalised images `(B, 3, H, W)`, H and W multiples of `patch`, to class tokens `(B, width)`.

    grid: patches to a side that there are learnt positions for; other numbers have them stretched.
    """

    def __init__(self, width: int, depth: int, heads: int, patch: int = 14, grid: int = 37) -> None:
        super().__init__()
        self.patch, self.grid = patch, grid
        self.patch_embed = Patches(width, patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, grid * grid + 1, width))
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        positions = self.positions(x.shape[2] // self.patch, x.shape[3] // self.patch)
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), self.patch_embed(x)], 1)
        return self.norm(self.blocks(tokens + positions)[:, 0])

    def positions(self, rows: int, columns: int) -> Tensor:
        """`(1, 1 + rows · columns, width)`: those learnt, or stretched by bicubic interpolation."""
        if rows == columns == self.grid:
            return self.pos_embed
        first, others = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        square = others.transpose(1, 2).unflatten(2, (self.grid, self.grid))
        scale = ((rows + OFFSET) / self.grid, (columns + OFFSET) / self.grid)
        stretched = F.interpolate(square, scale_factor=scale, mode="bicubic")
        return torch.cat([first, stretched.flatten(2).transpose(1, 2)], 1)
