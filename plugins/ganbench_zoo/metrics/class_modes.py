"""Classes that a generator reaches, and how evenly.  Srivastava et al. 2017 (VEEGAN), arXiv:1705.07761.

    classes   the number of classes that the classifier finds among generated samples
    class-kl  KL(q ‖ p) of the predicted classes: q of generated, p of real samples, in nats

The modes are the extractor's classes, so this is for data with many of them (digits stacked in three channels, say).
q ‖ p rather than p ‖ q, so that a class which is never made leaves it finite: log(K / k) if k of K equal classes are
made evenly. It sees nothing within a class, believes the classifier also about samples that are of no class, and
does not see copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Measured, Metric, hookimpl
from ganbench_zoo.layers.sampling import FIRST_ORDER, of_divergence


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Class logits `(N, classes)` of both sides to the number of classes made and the divergence of their shares.

    Where generated samples have a class that no real one has, the divergence is infinite, and has no value.
    """
    known, counts = (
        torch.bincount(side["logits"].argmax(1), minlength=side["logits"].shape[1]).double() for side in (real, fake)
    )
    made, shares = counts > 0, known / known.sum()
    p, q = shares[made], counts[made] / counts.sum()
    divergence = max(float((q * (q / p).log()).sum()), 0.0)
    return {"classes": float(made.sum()), "class-kl": Measured(divergence, of_divergence(counts, shares), FIRST_ORDER)}


@hookimpl
def ganbench_metrics():
    yield Metric(
        "class-modes",
        ("logits",),
        compute,
        (Column("classes", "higher", "classes"), Column("class-kl", "lower", "nats")),
        paper="arXiv:1705.07761",
    )
