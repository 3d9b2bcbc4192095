"""What classifiers reach that were trained on generated or real samples.  Ravuri & Vinyals 2019, arXiv:1905.10887."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ganbench import Caution, UsageError

Labelled = tuple[Tensor, Tensor]
"""Samples or features `(N, …)` and labels `(N,)`."""


def class_count(sides: Sequence[Labelled]) -> int:
    """One more than the highest label of all sides; a `UsageError` where one is below 0."""
    if min(int(labels.min()) for _, labels in sides) < 0:
        raise UsageError("labels below 0")
    return 1 + int(max(labels.max() for _, labels in sides))


def accuracies(
    test: Labelled,
    made: Labelled,
    learnt: Labelled,
    order: Tensor,
    sizes: Sequence[int],
    score: Callable[[Labelled, Labelled], float],
) -> tuple[float, float, dict[int, float]]:
    """Trained on generated and tested on real; the reverse; and for each size what generated samples add to real ones.

    test, made, learnt: real samples to be tested on, generated ones, real ones to be trained on. order: a permutation
    of the last, whose first `size` are taken, and the largest size in the reverse. score(train, tested): an accuracy.
    Where there are fewer real samples than a size, a `Caution` says that all of them stand for it.
    """
    for size in sizes:
        if size > len(order):
            said = f"the gain at {size:,} real samples is one at {len(order):,}: there are no more training samples"
            warnings.warn(Caution(said), stacklevel=2)
    parts = {size: (learnt[0][order[:size]], learnt[1][order[:size]]) for size in sizes}
    first, reverse = score(made, test), score(parts[max(sizes)], made)
    gains = {}
    for size, part in parts.items():
        both = torch.cat([part[0], made[0]]), torch.cat([part[1], made[1]])
        gains[size] = score(both, test) - score(part, test)
    return first, reverse, gains
