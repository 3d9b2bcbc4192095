"""The auxiliary classifier of AC-GAN.  Odena, Olah & Shlens 2017, arXiv:1610.09585, eq. 3.

    L_C = -E[log P(c | x)] - E[log P(c | G(z, c))],    P(· | x) = softmax of D's class logits

D minimises both parts beside its loss, G the second beside its own. So D learns the classes of generated samples from
the labels that G was given, whatever they show; with `auxiliary-classifier.on-fake=false` it learns from real samples
alone. G gains by samples that are easy to classify, at the cost of variety within a class (arXiv:2107.10060).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, hookimpl


def cross_entropy(D: Any, batch: Batch) -> Tensor:
    """Minus the log-probability that D gives to each sample's own class, `(B,)`."""
    return F.cross_entropy(D.answer(batch).classes, batch.get("y"), reduction="none")


def discriminator(D: Any, real: Batch, fake: Batch, recipe: Recipe) -> Tensor:
    """Cross entropy of real samples, and of generated ones, `(B,)`."""
    known = cross_entropy(D, real)
    return known + cross_entropy(D, fake) if recipe["auxiliary-classifier.on-fake"] else known


def generator(D: Any, fake: Batch) -> Tensor:
    """Cross entropy of generated samples and the classes that G was given, `(B,)`."""
    return cross_entropy(D, fake)


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """The auxiliary classifier."""
    yield Regularizer(
        "auxiliary-classifier",
        discriminator,
        generator,
        requires=("classes", "labels"),
        recipe=Recipe({"auxiliary-classifier.weight": 1.0, "auxiliary-classifier.on-fake": True}),
        paper="arXiv:1610.09585",
    )
