"""What differs between the extractors of `train_extractor.py`: data, augmentation, optimizer, words of their page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganbench_zoo.datasets import cifar10, fashion_mnist, mnist
from ganbench_zoo.extractors import cifar10_cnn, fashion_cnn, mnist_cnn

Params = Iterable[nn.Parameter]


@dataclass(frozen=True)
class Recipe:
    """How one extractor is trained.

    network(dropout=p) -> the classifier, untrained. augment: uint8 `(B, C, H, W)` to float `(B, C, H, W)`.
    optimizer: of the learning rate `lr`, the one-cycle schedule's peak, reached after `rise` of the steps. smoothing:
    of the labels. bf16: whether the network computes in bfloat16 while it learns. start(network, images): called once
    before training. words: for the page.
    """

    dataset: ModuleType
    extractor: ModuleType
    network: Callable[..., nn.Module]
    augment: Callable[[Tensor], Tensor]
    optimizer: Callable[[Params, float], torch.optim.Optimizer]
    lr: float
    rise: float
    epochs: int
    words: dict[str, str]
    batch: int = 128
    dropout: float = 0.0
    smoothing: float = 0.0
    ema: float = 0.998
    bf16: bool = False
    start: Callable[[nn.Module, Tensor], None] = lambda network, images: None


def bent(images: Tensor) -> Tensor:
    """`(B, 1, 28, 28)` turned by up to 10°, scaled by up to 10 %, sheared by up to 0.1, shifted by up to 2 pixels."""
    n = len(images)
    angle, scale, shear = ((torch.rand(3, n) * 2 - 1) * torch.tensor([0.1745, 0.1, 0.1])[:, None]).unbind()
    cos, sin, zoom = angle.cos(), angle.sin(), scale.exp()
    shift = (torch.rand(n, 2) * 2 - 1) * (2 / 14)
    theta = torch.stack([cos * zoom, (shear - sin) * zoom, shift[:, 0], sin * zoom, cos * zoom, shift[:, 1]], 1)
    grid = F.affine_grid(theta.view(n, 2, 3), [n, 1, 28, 28], align_corners=False)
    return F.grid_sample(images.float(), grid, align_corners=False)


def moved(images: Tensor, by: int, mode: str) -> Tensor:
    """Half of them mirrored, all shifted by up to `by` pixels; `mode`: what comes in from outside (of `F.pad`)."""
    n, _, height, width = images.shape
    padded = F.pad(images.float(), (by,) * 4, mode=mode)
    y, x = torch.randint(2 * by + 1, (2, n))
    rows = y[:, None] + torch.arange(height)
    columns = x[:, None] + torch.arange(width)
    columns = torch.where(torch.rand(n, 1) < 0.5, columns, columns.flip(1))
    return padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def holed(images: Tensor, size: int) -> Tensor:
    """Each with a square of `size` pixels, somewhere, set to the middle grey of the range.  arXiv:1708.04552."""
    n, _, height, width = images.shape
    y, x = torch.randint(height - size + 1, (n, 1)), torch.randint(width - size + 1, (n, 1))
    rows, columns = torch.arange(height) - y, torch.arange(width) - x
    inside = ((rows >= 0) & (rows < size))[:, None, :, None] & ((columns >= 0) & (columns < size))[:, None, None, :]
    return images.masked_fill(inside, 127.0)


def whiten(network: Any, images: Tensor) -> None:
    """Set the first convolution to whiten 2×2 patches (and its other half to the negatives), and fix it."""
    first = network.trunk[0]
    seen = network.prepare(images[:5000])
    patches = F.unfold(seen, 2).transpose(1, 2).reshape(-1, 12)
    variances, directions = torch.linalg.eigh(patches.T.cov())
    filters = (directions / (variances + 5e-4).sqrt()).T.reshape(12, 3, 2, 2)
    with torch.no_grad():
        first.weight.copy_(torch.cat([filters, -filters]))
        first.bias.zero_()
    first.weight.requires_grad_(False)


def adamw(params: Params, lr: float) -> torch.optim.Optimizer:
    """AdamW with a small weight decay."""
    return torch.optim.AdamW(params, lr, weight_decay=0.01)


def sgd(params: Params, lr: float) -> torch.optim.Optimizer:
    """SGD with Nesterov's momentum; biases and batch norms do not decay."""
    params = [p for p in params if p.requires_grad]
    groups = [
        {"params": [p for p in params if p.ndim > 1], "weight_decay": 5e-4},
        {"params": [p for p in params if p.ndim == 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr, momentum=0.9, nesterov=True)


RECIPES = {
    "mnist-cnn": Recipe(
        mnist,
        mnist_cnn,
        mnist_cnn.Classifier,
        bent,
        adamw,
        lr=4e-3,
        rise=0.2,
        epochs=12,
        dropout=0.3,
        words={
            "of": "handwritten digits",
            "of_what": "digits",
            "data": "MNIST",
            "dataset": "mnist",
            "command": "train_mnist_cnn.py",
            "trained_on": "`mnist` train, 50,000 digits; light shifts, turns, scalings and shears",
            "input": "uint8, 28 × 28 pixels, one channel or three (averaged). Of 32 × 32 pixels the middle 28 × 28 are "
            "taken, because MNIST\nat 32 pixels is MNIST with a black frame of two.",
        },
    ),
    "fashion-cnn": Recipe(
        fashion_mnist,
        fashion_cnn,
        fashion_cnn.classifier,
        lambda x: holed(moved(x, 2, "constant"), 6),
        adamw,
        lr=6e-3,
        rise=0.2,
        epochs=10,
        batch=256,
        dropout=0.3,
        smoothing=0.1,
        ema=0.995,
        bf16=True,
        words={
            "of": "articles of clothing",
            "of_what": "articles",
            "data": "Fashion-MNIST",
            "dataset": "fashion-mnist",
            "command": "train_extractor.py fashion-cnn",
            "trained_on": "`fashion-mnist` train, 50,000 pictures; mirrored, shifted by up to 2 pixels, a square of 6 "
            "pixels blanked out",
            "input": "uint8, 28 × 28 pixels, one channel.",
        },
    ),
    "cifar10-cnn": Recipe(
        cifar10,
        cifar10_cnn,
        cifar10_cnn.classifier,
        lambda x: moved(x, 2, "reflect"),
        sgd,
        lr=0.2,
        rise=0.25,
        epochs=10,
        batch=256,
        smoothing=0.1,
        ema=0.99,
        bf16=True,
        start=whiten,
        words={
            "of": "photographs",
            "of_what": "the ten kinds",
            "data": "CIFAR-10",
            "dataset": "cifar10",
            "command": "train_extractor.py cifar10-cnn",
            "trained_on": "`cifar10` train, 40,000 pictures; mirrored, and shifted by up to 2 pixels",
            "input": "uint8, 32 × 32 pixels, three channels.",
        },
    ),
}
