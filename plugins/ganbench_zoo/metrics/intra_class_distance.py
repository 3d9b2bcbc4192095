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

from ganbench import Caution, Column, Metric, UsageError, hookimpl
from ganbench_zoo.layers.frechet import distance, half


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` and labels `(N,)` of both sides to the mean and the largest distance over real classes."""
    found, fewest = [], min(len(real["labels"]), len(fake["labels"]))
    for label in torch.unique(real["labels"]):
        sides = [side["features"][side["labels"] == label].float() for side in (real, fake)]
        if (least := min(map(len, sides))) < 2:
            raise UsageError(f"{least} samples of class {int(label)} on one side")
        fewest = min(fewest, least)
        found.append(distance(half(sides[0], device), sides[1], device))
    width = real["features"].shape[1]
    if fewest <= width:
        said = f"{fewest} samples of a class for {width} features: the covariance is rank-deficient"
        warnings.warn(Caution(said), stacklevel=2)
    return {"intra-fd": sum(found) / len(found), "intra-fd-worst": max(found)}


@hookimpl
def ganbench_metrics():
    yield Metric(
        "intra-class-distance",
        ("features", "labels"),
        compute,
        (Column("intra-fd", "lower"), Column("intra-fd-worst", "lower")),
        paper="arXiv:1802.05637",
    )
