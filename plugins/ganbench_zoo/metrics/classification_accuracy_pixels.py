"""Classification accuracy score on pixels.  Ravuri & Vinyals 2019, arXiv:1905.10887.

    cas-pixels          trained on generated, tested on real samples
    cas-pixels-reverse  trained on real training samples, tested on generated ones
    gain-pixels-N       accuracy of N real training samples with all generated ones, less that of the N alone

As `classification-accuracy`, with a small convolutional network on the images themselves in place of a classifier on
features: nothing is known beforehand, so that samples have everything to teach, and slight blur and noise are seen,
which features that were trained on the same classes forgive. Eight networks are trained, of `steps` steps of 128 images
each. All begin alike (`seed`), so that a gain is not the luck of a start; what is left of that luck is about half a
percent of accuracy. No column sees copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Measured, Metric, Recipe, UsageError, hookimpl
from ganbench_zoo.layers.accuracies import Labelled, accuracies, class_count
from ganbench_zoo.layers.pixel_probe import fit
from ganbench_zoo.layers.probe import accuracy
from ganbench_zoo.layers.sampling import BINOMIAL, of_share

SIZES = (100, 1_000, 10_000)
"""Of the real part; each has its column."""


def compute(
    real: Mapping[str, Tensor],
    fake: Mapping[str, Tensor],
    params: Mapping[str, Any],
    device: str,
    training: Mapping[str, Tensor],
) -> dict[str, float]:
    """Images uint8 `(N, C, H, W)` and labels `(N,)` of three sides to accuracies and gains."""
    for side in (real, fake, training):
        if (x := side["samples"]).dtype != torch.uint8 or x.ndim != 4 or x.shape[1:] != real["samples"].shape[1:]:
            raise UsageError(f"takes images of one size, not {x.dtype} {tuple(x.shape[1:])}")
    test, made, learnt = ((side["samples"].to(device), side["labels"].to(device)) for side in (real, fake, training))
    classes = class_count((test, made, learnt))

    def started() -> torch.Generator:
        return torch.Generator().manual_seed(int(params["seed"]))

    def score(train: Labelled, tested: Labelled) -> float:
        width, steps, lr = int(params["width"]), int(params["steps"]), float(params["lr"])
        return accuracy(fit(*train, classes, started(), width=width, steps=steps, lr=lr), *tested)

    order = torch.randperm(len(learnt[0]), generator=started()).to(device)
    first, reverse, gains = accuracies(test, made, learnt, order, SIZES, score)
    return {
        "cas-pixels": first,
        "cas-pixels-reverse": Measured(reverse, of_share(reverse, len(made[1])), BINOMIAL),
        **{f"gain-pixels-{size}": gain for size, gain in gains.items()},
    }


@hookimpl
def ganbench_metrics():
    yield Metric(
        "classification-accuracy-pixels",
        ("samples", "labels", "training"),
        compute,
        (
            Column("cas-pixels", "higher", "accuracy"),
            Column("cas-pixels-reverse", "higher", "accuracy"),
            *(Column(f"gain-pixels-{size}", "higher", "accuracy", positive=False) for size in SIZES),
        ),
        Recipe(samples=10_000, width=16, steps=400, lr=0.003, seed=2020),
        paper="arXiv:1905.10887",
    )
