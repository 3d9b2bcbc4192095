"""Classifier two-sample test.  Lopez-Paz & Oquab 2017, arXiv:1610.06545.

    the accuracy, on held-out samples, of a detector that was trained to tell generated from real features

Half of as many samples as both sides have trains a network of one hidden layer, the other half tests it. 0.5 is chance,
and what equal distributions give but for a standard error of 0.5 / √(samples tested); 1 says that no sample passes for
real. It sees any difference that the detector can learn from so many samples; it does not say how large that is to the
eye, and it does not see copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Metric, Recipe, hookimpl
from ganbench_zoo.layers.probe import accuracy, fit


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Features `(N, width)` of both sides to the detector's accuracy. `seed` shuffles, and starts the network."""
    n = min(len(real["features"]), len(fake["features"])) // 2 * 2
    generator = torch.Generator().manual_seed(int(params["seed"]))
    halves: list[list[Tensor]] = [[], []]
    for side in (real, fake):
        chosen = torch.randperm(len(side["features"]), generator=generator)[:n]
        for half, part in zip(halves, side["features"].float()[chosen].chunk(2), strict=True):
            half.append(part.to(device))
    y = torch.arange(2, device=device).repeat_interleave(n // 2)
    learnt, held_out = (torch.cat(half) for half in halves)
    detector = fit(learnt, y, 2, generator, hidden=int(params["hidden"]), penalty=float(params["penalty"]))
    return {"c2st": accuracy(detector, held_out, y)}


@hookimpl
def ganbench_metrics():
    yield Metric(
        "two-sample-test",
        ("features",),
        compute,
        (Column("c2st", "lower", "accuracy"),),
        Recipe(samples=10_000, hidden=32, penalty=0.01, seed=2020),
        minimum=4,
        paper="arXiv:1610.06545",
    )
