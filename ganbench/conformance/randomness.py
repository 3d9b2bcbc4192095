"""Trainables: all that is random comes from torch's default generators, which the engine seeds."""

from __future__ import annotations

from ganbench.conformance.checks import Advice, Skip
from ganbench.conformance.partners import Subject
from ganbench.conformance.state import different
from ganbench.conformance.trace import EARLY, go_on, seen_to_the_end


def own_seed(subject: Subject) -> Advice | None:
    """Nobody but the engine seeds torch or makes a generator."""
    for seen in subject.traces.values():
        if seen.notes.seeded:
            return Advice(
                seen.notes.seeded[0],
                "draw with torch.rand and the like and never seed: the engine does, before every turn",
            )
    seen_to_the_end(subject)
    return None


def foreign_randomness(subject: Subject) -> Advice | None:
    """Neither `random` nor NumPy is drawn from."""
    for seen in subject.traces.values():
        if seen.notes.foreign:
            return Advice(seen.notes.foreign[0], "draw from torch instead: torch.rand, torch.randn, torch.randint")
    seen_to_the_end(subject)
    return None


def repeatable(subject: Subject) -> Advice | None:
    """The same seed gives the same weights, bit for bit."""
    seen = subject.traces[subject.form]
    if seen.early is None or not seen.finite:
        raise Skip("it does not train")
    other = different(seen.early, go_on(subject.engine(subject.form), EARLY))
    if other:
        return Advice(
            f"one seed gave two results after {EARLY} cycles: {other}",
            "draw only from torch's default generators, and keep nothing outside of the networks",
        )
    return None


CHECKS = (own_seed, foreign_randomness, repeatable)
