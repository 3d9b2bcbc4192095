"""Little parts to plan with: records whose functions are never called, and data of a few points."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from ganbench import (
    Architecture,
    Augmentation,
    Column,
    Dataset,
    Extractor,
    GameBuilder,
    Loss,
    Metric,
    Modality,
    Preset,
    Recipe,
    Regularizer,
    SampleSpec,
    ScaleRow,
    Unavailable,
    Weights,
    hookimpl,
)

POINTS = SampleSpec((2,), None, "points", classes=3)


def module(spec, recipe):
    raise AssertionError("planning builds nothing")


def term(D, fake):
    return D(fake)


def load(split):
    return np.arange(40, dtype=np.float32).reshape(20, 2), np.arange(20) % 3


def unreachable(split):
    raise Unavailable("t-far: not on this machine and not downloaded")


def weights(path):
    file = path or Path(__file__)
    return Weights(file, hashlib.sha256(file.read_bytes()).hexdigest(), official=path is None)


def no_weights(path):
    raise Unavailable("t-heavy: its weights are not on this machine")


def traits(spec, recipe):
    return ("per-sample-D",) if recipe["norm_D"] == "layer" else ()


def alone(spec, recipe, others):
    return f"does not go with {others[-1]}" if len(others) > 1 else None


@hookimpl
def ganbench_architectures():
    yield Architecture("t-small", module, module, recipe=Recipe(width=8, norm_D="batch"), offers=traits)
    yield Architecture("t-told", module, module, recipe=Recipe(width=8), offers=("labels",), brings=("t-norm",))
    yield Architecture("t-bare", module, module)
    yield Architecture("t-pixels", module, module, accepts=Modality(("image",)))


@hookimpl
def ganbench_losses():
    yield Loss("t-plain", term, term)
    yield Loss("t-critic", term, term, brings=("t-norm", "t-penalty"), recipe=Recipe(d_steps=5, norm_D="layer"))
    yield Loss("t-blind", term, term, forbids=("labels",))
    yield Loss("t-alone", term, term, fits=alone)


@hookimpl
def ganbench_regularizers():
    yield Regularizer("t-penalty", term, requires=("per-sample-D",), recipe=Recipe({"t-penalty.weight": 10.0}))
    yield Regularizer("t-norm", build=module, brings=("t-penalty",), recipe=Recipe({"t-norm.power": 1}))
    yield Regularizer("t-slow", term, recipe=Recipe(lr=1e-5))
    yield Regularizer("t-fast", term, recipe=Recipe(lr=1e-2))
    yield Regularizer("t-plain", term)


@hookimpl
def ganbench_augmentations():
    yield Augmentation("t-flip", build=module)
    yield Augmentation("t-pack", build=module, removes=("per-sample-D",))


@hookimpl
def ganbench_presets():
    yield Preset("t-paper", "t-small", "t-critic", ("t-slow",), recipe=Recipe(lr=3e-4, betas=(0.0, 0.9)))


@hookimpl
def ganbench_games():
    yield GameBuilder("t-game", module, accepts=Modality(("points",)), recipe=Recipe(players=4))
    yield GameBuilder("t-told-game", module, offers=("labels",))


@hookimpl
def ganbench_datasets():
    yield Dataset("t-points", POINTS, load)
    yield Dataset("t-copy", POINTS, load, reference="t-points")
    yield Dataset("t-far", POINTS, unreachable)
    yield Dataset("t-nameless", POINTS.but(classes=0), load)


@hookimpl
def ganbench_extractors():
    public = {"t-distance": "THE-DISTANCE"}
    layers = ("features", "inner", "logits")
    yield Extractor("t-eye", module, weights, layers=layers, names=public, images_per_second=0.5)
    yield Extractor("t-heavy", module, no_weights)
    yield Extractor("t-sounds", module, weights, accepts=Modality(("audio",)))


@hookimpl
def ganbench_metrics():
    yield Metric("t-fd", ("features",), module, (Column("t-distance", "lower"),), Recipe(subsets=10, kernel="rbf"))
    yield Metric("t-score", ("logits",), module, (Column("t-score", "higher"),))
    yield Metric("t-count", ("samples",), module, (Column("t-count", "none"),))
    yield Metric("t-twin", ("features",), module, (Column("t-count", "none"),))


@hookimpl
def ganbench_scale_rows():
    yield ScaleRow("t-real", split="val", role="floor")
    yield ScaleRow("t-zero", module, role="degenerate")
