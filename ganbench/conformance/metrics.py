"""Metrics: every declared column, finite, repeatable, and better for equal samples than for worse ones."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench.conformance.checks import WARNING, Advice, Skip
from ganbench.conformance.subject import Subject
from ganbench.errors import Caution, UsageError

WIDTH = 10
COUNT = 1_200
TRAINING = 2
"""The seed of the training samples."""

Side = Mapping[str, Tensor]


def _side(subject: Subject, seed: int, shift: float = 0.0) -> Side:
    """Made-up points, of which features, logits and labels are made; a shift makes the last two unsure and wrong."""
    count = max(COUNT, int(subject.record.minimum))
    x = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))
    labels = x.argmax(1)
    side = {"features": x + shift, "samples": x + shift, "logits": 4 * x / (1 + 9 * shift)}
    side["labels"] = labels.roll(1) if shift else labels
    return {need: t for need, t in side.items() if need in subject.record.needs}


def _collapsed(subject: Subject) -> Side:
    """Two samples, over and over."""
    return {need: t[torch.arange(len(t)) % 2] for need, t in _side(subject, 1).items()}


def _training(subject: Subject) -> list[Side]:
    return [_side(subject, TRAINING)] if "training" in subject.record.needs else []


def _params(subject: Subject) -> dict[str, Any]:
    return {**subject.record.params, **({"subsets": 5} if "subsets" in subject.record.params else {})}


def _compute(subject: Subject, fake: Side) -> Mapping[str, float]:
    given = _side(subject, 0), fake, _params(subject), "cpu", *_training(subject)
    try:
        return _cautioned(subject, *given)
    except UsageError as error:
        raise Skip(f"made-up samples will not do: {error}") from None


def _cautioned(subject: Subject, *given: Any) -> Mapping[str, float]:
    """The values, without what a metric warns of: that made-up samples are few says nothing about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Caution)
        values: Any = subject.record.compute(*given)
    if not isinstance(values, Mapping):
        raise TypeError(f"compute gives a {type(values).__name__} instead of {{column: value}}")
    return values


def _equal(subject: Subject) -> Mapping[str, float]:
    """The values for equal distributions, computed once."""
    values: Mapping[str, float] = subject.once("equal", lambda: dict(_compute(subject, _side(subject, 1))))
    return values


def columns(subject: Subject) -> Advice | None:
    """A finite number for each declared column and no other; none below 0 where it is declared so."""
    values = _equal(subject)
    declared = {c.name for c in subject.record.columns}
    if set(values) != declared:
        return Advice(
            f"gives {', '.join(sorted(values)) or 'nothing'} and declares {', '.join(sorted(declared))}",
            "return one value for each Column, by its name",
        )
    for column in subject.record.columns:
        value = values[column.name]
        if not isinstance(value, int | float) or not math.isfinite(value):
            return Advice(f"{column.name} is {value!r}", "return a finite float: float(tensor)")
        if column.positive and value < 0:
            return Advice(f"{column.name} is {value:.3g}, below 0", "declare Column(…, positive=False)")
    return None


def same_again(subject: Subject) -> Advice | None:
    """The same samples give the same number."""
    if _equal(subject) == _compute(subject, _side(subject, 1)):
        return None
    return Advice("the same samples gave two numbers", "seed what it draws, and put the seed into params")


def direction(subject: Subject) -> Advice | None:
    """A column's direction is where it goes with worse samples: shifted, copied if it knows training samples, or else,
    where those leave it as it is, collapsed."""
    good = _equal(subject)
    tried = [_compute(subject, side) for side in (_side(subject, 1, 2.0), *_training(subject))]
    for column in subject.record.columns:
        sign = {"lower": 1, "higher": -1, "none": 0}[column.direction]
        worse = [bad for bad in tried if bad[column.name] != good[column.name]]
        worse = worse or [_compute(subject, _collapsed(subject))]
        if sign and not any(sign * (bad[column.name] - good[column.name]) > 0 for bad in worse):
            others = " and ".join(f"{bad[column.name]:.4g}" for bad in worse)
            return Advice(
                f"{column.name} is {good[column.name]:.4g} for equal and {others} for worse samples",
                f"declare the other direction than {column.direction!r}, or look at the sign",
            )
    return None


def leaves_samples(subject: Subject) -> Advice | None:
    """What it is given stays as it is: other metrics read it next."""
    _equal(subject)  # skipped where that is
    sides = [_side(subject, 0), _side(subject, 1), *_training(subject)]
    kept = [{k: v.clone() for k, v in side.items()} for side in sides]
    _cautioned(subject, *sides[:2], _params(subject), "cpu", *sides[2:])
    if all(torch.equal(side[k], old[k]) for side, old in zip(sides, kept, strict=True) for k in old):
        return None
    return Advice("it changes the samples in place", "work on a copy: x - mean, not x.sub_(mean)")


def paper(subject: Subject) -> Advice | None:
    """A paper is named."""
    return None if subject.record.paper else Advice("no paper is named", 'give paper="arXiv:…", if any', WARNING)


CHECKS = (columns, same_again, direction, leaves_samples, paper)
