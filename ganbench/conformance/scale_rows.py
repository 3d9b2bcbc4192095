"""Scale rows: as many samples as asked for, in the form of the data, seeded."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganbench.conformance.checks import Advice
from ganbench.conformance.subject import Subject
from ganbench.conformance.toys import FORMS

ROLES = ("floor", "ceiling", "degenerate", "copies", "collapse", "")


def role(subject: Subject) -> Advice | None:
    """A known role, and either samples or a split."""
    if subject.record.role not in ROLES:
        return Advice(f"role {subject.record.role!r}", f"say one of {', '.join(filter(None, ROLES))}, or nothing")
    if (subject.record.samples is None) == (subject.record.split is None):
        return Advice("it has both samples and a split, or neither", "give one of them")
    return None


def samples(subject: Subject) -> Advice | None:
    """For 8-bit images and for points: n samples of the data's shape and type; the same for one seed."""
    draw = subject.record.samples
    if draw is None:
        return None
    for form in FORMS[:2]:
        x, y = (t.numpy() for t in form.make(64))

        def load(split: str, x: Any = x, y: Any = y) -> tuple[Any, Any]:
            return x, y

        for count in (10, 100):
            made, _ = draw(load, count, np.random.default_rng(0))
            again, _ = draw(load, count, np.random.default_rng(0))
            if made.shape != (count, *x.shape[1:]) or made.dtype != x.dtype:
                return Advice(
                    f"{made.dtype} {made.shape} instead of {x.dtype} {(count, *x.shape[1:])} on {form.title}",
                    "return n samples in the form of load('train')[0]",
                )
            if not np.array_equal(made, again):
                return Advice("one seed gave two sets of samples", "draw from the generator that it is given, only")
    return None


CHECKS = (role, samples)
