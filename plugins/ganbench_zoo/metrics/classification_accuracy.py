"""Classification accuracy score.  Ravuri & Vinyals 2019, arXiv:1905.10887.

    cas          trained on generated, tested on real samples: what is missing, or wrong for its label, costs accuracy
    cas-reverse  trained on real training samples, tested on generated ones: whether they show what their labels say
    gain-N       accuracy of N real training samples with all generated ones, less that of the N alone: does it help?

Each is a classifier on features (`hidden` = 0: logistic regression), which needs labels on both sides, so it is for
conditional generators. Real training samples and the real samples of the test never mix. `cas-reverse` rewards easy
prototypes, and no column sees copies: copied training samples are excellent training samples. Features of a network
that was trained on the same classes leave little to learn, and make every column optimistic.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Measured, Metric, Recipe, hookimpl
from ganbench_zoo.layers.accuracies import Labelled, accuracies, class_count
from ganbench_zoo.layers.probe import accuracy, fit
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
    """Features `(N, width)` and labels `(N,)` of three sides to accuracies and gains; `seed` draws the real part."""
    test, made, learnt = (
        (side["features"].float().to(device), side["labels"].to(device)) for side in (real, fake, training)
    )
    generator = torch.Generator().manual_seed(int(params["seed"]))
    order = torch.randperm(len(learnt[0]), generator=generator).to(device)
    classes = class_count((test, made, learnt))

    def score(train: Labelled, tested: Labelled) -> float:
        hidden, penalty = int(params["hidden"]), float(params["penalty"])
        return accuracy(fit(*train, classes, generator, hidden=hidden, penalty=penalty), *tested)

    first, reverse, gains = accuracies(test, made, learnt, order, SIZES, score)
    return {
        "cas": first,
        "cas-reverse": Measured(reverse, of_share(reverse, len(made[1])), BINOMIAL),
        **{f"gain-{size}": gain for size, gain in gains.items()},
    }


@hookimpl
def ganbench_metrics():
    yield Metric(
        "classification-accuracy",
        ("features", "labels", "training"),
        compute,
        (
            Column("cas", "higher", "accuracy"),
            Column("cas-reverse", "higher", "accuracy"),
            *(Column(f"gain-{size}", "higher", "accuracy", positive=False) for size in SIZES),
        ),
        Recipe(samples=10_000, hidden=0, penalty=0.001, seed=2020),
        paper="arXiv:1905.10887",
    )
