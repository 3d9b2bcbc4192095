"""A whole little world in one plugin file: points, a linear GAN that can be slowed down or broken, a metric."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from pathlib import Path

import numpy as np
from torch import nn

from ganbench import (
    Architecture,
    Column,
    Dataset,
    Extractor,
    Loss,
    Metric,
    Modality,
    SampleSpec,
    ScaleRow,
    SuiteFile,
    Weights,
    hookimpl,
)

POINTS = SampleSpec((2,), None, "points")


class Slow(nn.Linear):
    """A linear map that takes its time, ends its process, or hangs at the 20th batch; it waits there for as long as the
    file `GANBENCH_TEST_GATE` exists."""

    delay, dies, hangs, batches = 0.0, False, False, 0

    def forward(self, z):
        self.batches += 1
        if self.hangs and self.batches > 20:
            time.sleep(600)
        while self.batches == 20 and Path(os.environ.get("GANBENCH_TEST_GATE", "/nowhere/gate")).exists():
            time.sleep(0.02)
        time.sleep(self.delay)
        if self.dies and self.training:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(z)


def generator(spec, recipe):
    if recipe["fails"]:
        raise RuntimeError("the toy is broken\nbeyond repair")
    net = Slow(recipe["latent"], 2)
    net.delay, net.dies, net.hangs = recipe["delay"], recipe["dies"], recipe["hangs"]
    return net


class Critic(nn.Linear):
    def forward(self, x):
        return super().forward(x).flatten()


def discriminator(spec, recipe):
    return Critic(2, 1)


def load(split):
    draws = np.random.default_rng(("train", "val", "test").index(split))
    return draws.normal(size=(500, 2)).astype(np.float32), None


class Identity(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, x):
        return tuple(x for _ in self.layers)


def weights(path):
    file = Path(path or __file__)
    return Weights(file, hashlib.sha256(file.read_bytes()).hexdigest())


def distance(real, fake, params, device):
    print("measured")
    return {"gap": float((real["features"].mean(0) - fake["features"].mean(0)).norm())}


@hookimpl
def ganbench_architectures():
    keys = {"delay": 0.0, "dies": False, "fails": False, "hangs": False}
    yield Architecture("toy-linear", generator, discriminator, Modality(("points",)), recipe=keys)
    yield Architecture("toy-image", generator, discriminator, Modality(("image",)))


@hookimpl
def ganbench_losses():
    yield Loss("toy-critic", lambda D, real, fake: D(fake) - D(real), lambda D, fake: -D(fake))
    yield Loss(
        "toy-square", lambda D, real, fake: D(fake) ** 2 + (D(real) - 1) ** 2, lambda D, fake: (D(fake) - 1) ** 2
    )


@hookimpl
def ganbench_datasets():
    yield Dataset("toy-points", POINTS, load)


@hookimpl
def ganbench_extractors():
    build = lambda weights, layers: Identity(layers)  # noqa: E731
    yield Extractor("toy-identity", build, weights, layers=("features",), logits="features", width=2)


@hookimpl
def ganbench_metrics():
    yield Metric("toy-gap", ("features",), distance, (Column("gap", "lower"),))


@hookimpl
def ganbench_scale_rows():
    yield ScaleRow("toy-zero", lambda load, n, generator: (np.zeros((n, 2), np.float32), None), role="degenerate")


@hookimpl
def ganbench_suites():
    yield SuiteFile("toy", Path(__file__).with_name("toy.toml"))
