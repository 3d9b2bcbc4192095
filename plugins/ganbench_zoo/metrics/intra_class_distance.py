"""Intra-class Fréchet distance.  Miyato & Koyama 2018, arXiv:1802.05637.

    the Fréchet distance between the generated and the real samples of one class: the mean over classes, and the worst

It needs labels on both sides, so it is for conditional generators. A generator that ignores the label it is given has a
good distance over all samples and a bad one here. A class of which either side has fewer than two samples cannot be
measured; the number of samples is that of the smallest class, so the bias of few samples is larger than over all.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Caution, Column, Measured, Metric, UsageError, hookimpl
from ganbench_zoo.layers.frechet import contributions, distance, half
from ganbench_zoo.layers.sampling import FIRST_ORDER, of_mean


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` and labels `(N,)` of both sides to the mean and the largest distance over real classes."""
    found: dict[str, float] = {}
    errors: dict[str, float] = {}
    fewest, width = min(len(real["labels"]), len(fake["labels"])), real["features"].shape[1]
    for label in torch.unique(real["labels"]):
        sides = [side["features"][side["labels"] == label].float() for side in (real, fake)]
        if (least := min(map(len, sides))) < 2:
            raise UsageError(f"{least} samples of class {int(label)} on one side")
        fewest = min(fewest, least)
        real_half = half(sides[0], device)
        found[str(int(label))] = distance(real_half, sides[1], device)
        error = of_mean(contributions(real_half, sides[1], device)) if len(sides[1]) > width else None
        errors |= {} if error is None else {str(int(label)): error}
    if fewest <= width:
        said = f"{fewest} samples of a class for {width} features: the covariance is rank-deficient"
        warnings.warn(Caution(said), stacklevel=2)
    worst = max(found, key=lambda label: found[label])
    whole = sum(e**2 for e in errors.values()) ** 0.5 / len(found) if len(errors) == len(found) else None
    return {
        "intra-fd": Measured(sum(found.values()) / len(found), whole, FIRST_ORDER, parts=found),
        "intra-fd-worst": Measured(found[worst], errors.get(worst), FIRST_ORDER),
    }


@hookimpl
def ganbench_metrics():
    yield Metric(
        "intra-class-distance",
        ("features", "labels"),
        compute,
        (Column("intra-fd", "lower"), Column("intra-fd-worst", "lower")),
        paper="arXiv:1802.05637",
    )
