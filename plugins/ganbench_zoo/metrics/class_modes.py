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

from ganbench import Column, Metric, hookimpl


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Class logits `(N, classes)` of both sides to the number of classes made and the divergence of their shares.

    Where generated samples have a class that no real one has, the divergence is infinite, and has no value.
    """
    p, q = (
        torch.bincount(side["logits"].argmax(1), minlength=side["logits"].shape[1]).double() for side in (real, fake)
    )
    made = q > 0
    p, q = p[made] / p.sum(), q[made] / q.sum()
    return {"classes": float(made.sum()), "class-kl": max(float((q * (q / p).log()).sum()), 0.0)}


@hookimpl
def ganbench_metrics():
    yield Metric(
        "class-modes",
        ("logits",),
        compute,
        (Column("classes", "higher", "classes"), Column("class-kl", "lower", "nats")),
        paper="arXiv:1705.07761",
    )
