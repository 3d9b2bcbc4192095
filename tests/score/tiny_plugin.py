"""Small images in four classes, a random network that looks at them, and a metric that wants their labels."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ganbench import (
    Column,
    Dataset,
    Extractor,
    Images,
    Measured,
    Metric,
    Recipe,
    SampleSpec,
    Unavailable,
    Weights,
    hookimpl,
)

SPEC = SampleSpec((1, 8, 8), (-1.0, 1.0), "image", classes=4)


def load(split):
    if split != "train" and os.environ.get("TINY_ABSENT"):
        raise Unavailable("tiny: not on this machine")
    generator = np.random.default_rng(["train", "val", "test"].index(split))
    y = generator.integers(0, 4, 700)
    x = generator.normal(60 + 40 * y[:, None, None, None], 25, (700, 1, 8, 8)).clip(0, 255)
    return x.astype(np.uint8), y


def weights(path=None):
    file = Path(path or __file__)
    return Weights(file, hashlib.sha256(file.read_bytes()).hexdigest(), official=path is None)


class Network(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers
        generator = torch.Generator().manual_seed(7)
        self.first = nn.Parameter(torch.randn(64, 16, generator=generator) / 8)
        self.last = nn.Parameter(torch.randn(16, 4, generator=generator))

    def forward(self, x):
        features = torch.tanh((x.float().mean(1).flatten(1) / 127.5 - 1) @ self.first)
        given = {"features": features, "logits": features @ self.last}
        return tuple(given[layer] for layer in self.layers)


def agreement(real, fake, params, device):
    print("a library that talks on stdout")
    shares = [torch.bincount(side["labels"], minlength=4) / len(side["samples"]) for side in (real, fake)]
    return {"label-gap": float((shares[0] - shares[1]).abs().sum())}


def brightness(real, fake, params, device):
    rows = fake["samples"].double().mean((0, 1, 3))
    return {"brightness": Measured(rows.mean(), parts={str(at): float(row) for at, row in enumerate(rows)})}


@hookimpl
def ganbench_datasets():
    yield Dataset("tiny", SPEC, load)


@hookimpl
def ganbench_extractors():
    yield Extractor(
        "tiny-net", lambda weights, layers: Network(layers), weights, accepts=Images((8,)), width=16,
        preprocessing="x / 127.5 - 1", images_per_second=1e5,
    )  # fmt: skip


@hookimpl
def ganbench_metrics():
    yield Metric("label-gap", ("samples", "labels"), agreement, (Column("label-gap", "lower"),), Recipe(power=1))
    yield Metric("brightness", ("samples",), brightness, (Column("brightness", "none"),), jackknife=12)
