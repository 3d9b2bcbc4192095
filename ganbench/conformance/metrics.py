"""Metrics: every declared column, finite, repeatable, and better for equal samples than for shifted ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench.conformance.checks import WARNING, Advice, Skip
from ganbench.conformance.subject import Subject

WIDTH = 10
COUNT = 1_200


def _side(subject: Subject, seed: int, shift: float) -> Mapping[str, Tensor]:
    """Made-up features, and logits that are sure and balanced without a shift."""
    count = max(COUNT, int(subject.record.minimum))
    x = torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))
    return {"features": x + shift, "logits": 4 * x / (1 + 9 * shift)}


def _compute(subject: Subject, seed: int, shift: float) -> Mapping[str, float]:
    record = subject.record
    if beyond := set(record.needs) - {"features", "logits"}:
        raise Skip(f"it needs {', '.join(sorted(beyond))}, which cannot be made up")
    params: dict[str, Any] = {**record.params, **({"subsets": 5} if "subsets" in record.params else {})}
    values: Mapping[str, float] = record.compute(_side(subject, 0, 0.0), _side(subject, seed, shift), params, "cpu")
    return values


def columns(subject: Subject) -> Advice | None:
    """A finite number for each declared column and no other; none below 0 where it is declared so."""
    values = _compute(subject, 1, 0.0)
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
    if _compute(subject, 1, 0.0) == _compute(subject, 1, 0.0):
        return None
    return Advice("the same samples gave two numbers", "seed what it draws, and put the seed into params")


def direction(subject: Subject) -> Advice | None:
    """A column's direction is the one it goes where samples are worse."""
    good, bad = _compute(subject, 1, 0.0), _compute(subject, 1, 2.0)
    for column in subject.record.columns:
        if column.direction not in ("lower", "higher", "none"):
            return Advice(f"{column.name} has direction {column.direction!r}", "say lower, higher or none")
        sign = {"lower": 1, "higher": -1, "none": 0}[column.direction]
        if sign and not sign * (bad[column.name] - good[column.name]) > 0:
            return Advice(
                f"{column.name} is {good[column.name]:.4g} for equal and {bad[column.name]:.4g} for shifted samples",
                f"declare the other direction than {column.direction!r}, or look at the sign",
            )
    return None


def leaves_samples(subject: Subject) -> Advice | None:
    """What it is given stays as it is: other metrics read it next."""
    _compute(subject, 1, 0.0)
    sides = [dict(_side(subject, seed, 0.0)) for seed in (0, 1)]
    kept = [{k: v.clone() for k, v in side.items()} for side in sides]
    params = {**subject.record.params, **({"subsets": 5} if "subsets" in subject.record.params else {})}
    subject.record.compute(*sides, params, "cpu")
    if all(torch.equal(side[k], old[k]) for side, old in zip(sides, kept, strict=True) for k in old):
        return None
    return Advice("it changes the samples in place", "work on a copy: x - mean, not x.sub_(mean)")


def paper(subject: Subject) -> Advice | None:
    """A paper is named."""
    return None if subject.record.paper else Advice("no paper is named", 'give paper="arXiv:…", if any', WARNING)


CHECKS = (columns, same_again, direction, leaves_samples, paper)
