"""Copy evidence: the share of generated samples that lie too close to a training sample.

    ρ(x) = distance of x to the nearest training sample / distance of x to the nearest unseen real sample
    evidence = (share of generated samples with ρ below t - level) / (1 - level),    t the level-quantile of ρ over
                                                                                     unseen real samples

The real side is cut in two: one half is the unseen samples, the other gives t; then the halves change places, and the
mean is taken. Real samples that were never trained on give 0 but for chance, also below; 1 says that every sample is a
copy. A ratio, because a generator whose samples are all close to the data is close to seen and to unseen samples alike
(the idea of Meehan et al. 2020, arXiv:2004.05675, and of Alaa et al. 2022, arXiv:2102.08921). `docs/metrics.md` has its
power and its false positives: it is evidence, not proof, and copies that are altered more than the space forgives go
unseen. Pixels and features are two columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Measured, Metric, Recipe, UsageError, hookimpl
from ganbench_zoo.layers.neighbours import distances, rows_within
from ganbench_zoo.layers.sampling import FIRST_ORDER, of_mean

SMALLEST = 1e-30
"""In place of a distance of 0 from an unseen sample: a copy stays a copy where the same picture is among those."""


def compute(
    real: Mapping[str, Tensor],
    fake: Mapping[str, Tensor],
    params: Mapping[str, Any],
    device: str,
    training: Mapping[str, Tensor],
    *,
    need: str,
    column: str,
) -> dict[str, float]:
    """Features or samples (`need`) of three sides to the evidence; distances are held in at most `memory` GB."""
    level, half = float(params["level"]), len(real[need]) // 2
    if not 0 < level < 1 or level * half < 1:
        raise UsageError(f"a level of {level} of {half} real samples: at least one of them must lie below")
    unseen, made, seen = (side[need].flatten(1).float().to(device) for side in (real, fake, training))
    ratios = compared(unseen, made, seen, float(params["memory"]))
    value = sum(evidence(*pair, level) for pair in ratios) / 2
    close = torch.stack([found < threshold(other, level) for found, other in ratios]).double().mean(0)
    return {column: Measured(value, of_mean(close / (1 - level)), FIRST_ORDER)}


def compared(unseen: Tensor, made: Tensor, seen: Tensor, memory: float) -> list[tuple[Tensor, Tensor]]:
    """ρ of the generated samples and of half of the unseen ones, once with either half as what was not seen."""

    def nearest(points: Tensor, others: Tensor) -> Tensor:
        rows = rows_within(memory, len(others))
        return torch.cat([d.min(1).values for d in distances(points, others, rows)])

    half = len(unseen) // 2
    halves = [unseen[:half], unseen[half : 2 * half]]
    to_seen = [nearest(side, seen) for side in (made, *halves)]
    found = []
    for here, there in ((0, 1), (1, 0)):
        to_unseen = [nearest(side, halves[here]).clamp_min(SMALLEST) for side in (made, halves[there])]
        found.append((to_seen[0] / to_unseen[0], to_seen[1 + there] / to_unseen[1]))
    return found


def evidence(made: Tensor, unseen: Tensor, level: float) -> float:
    """From ρ of generated and of unseen samples to the share of the former that is closer than chance has it."""
    return (float((made < threshold(unseen, level)).double().mean()) - level) / (1 - level)


def threshold(unseen: Tensor, level: float) -> Tensor:
    """The ρ below which a share `level` of unseen samples lies."""
    return unseen.kthvalue(max(1, int(level * len(unseen)))).values


@hookimpl
def ganbench_metrics():
    for name, need in (("copy-evidence", "features"), ("copy-evidence-pixels", "samples")):
        yield Metric(
            name,
            (need, "training"),
            partial(compute, need=need, column=name),
            (Column(name, "lower", "share", positive=False),),
            Recipe(samples=10_000, level=0.01, memory=2.0),
            minimum=200,
            neutral=("memory",),
            paper="arXiv:2004.05675",
        )
