"""Trainables: a short training goes through, and its terms give finite values of the right shape."""

from __future__ import annotations

from ganbench.conformance.checks import Advice, Skip
from ganbench.conformance.partners import Subject
from ganbench.conformance.trace import seen_to_the_end


def trains(subject: Subject) -> Advice | None:
    """A few cycles end without an error."""
    for seen in subject.traces.values():
        if seen.error is not None and not seen.detached:
            raise seen.error
    return None


def values(subject: Subject) -> Advice | None:
    """Each term gives one value per sample, `(B,)`, or a scalar."""
    if subject.registered.kind == "game":
        raise Skip("a game's objectives give what they like; the engine takes the mean")
    for form, seen in subject.traces.items():
        for turn, name, shape, _ in seen.notes.values:
            if len(shape) > 1:
                return Advice(
                    f"{name} gives {shape} in turn {turn} on {form.title}",
                    "give one value per sample, (B,), or a scalar: sum or average the other axes",
                )
    seen_to_the_end(subject)
    return None


def finite(subject: Subject) -> Advice | None:
    """No loss is NaN or infinite."""
    for form, seen in subject.traces.items():
        for turn, name, _, good in seen.notes.values:
            if not good:
                return Advice(
                    f"{name} is not finite in turn {turn} on {form.title}",
                    "use the stable form (softplus for log-sigmoid), and no log, root or division at 0",
                )
    seen_to_the_end(subject)
    return None


def keeps_batches(subject: Subject) -> Advice | None:
    """No batch is changed in place: others see it after this component."""
    for seen in subject.traces.values():
        if seen.notes.written:
            what = ", ".join("latents" if n == "latents" else f"real samples of stream {n}" for n in seen.notes.written)
            return Advice(
                f"a batch is changed in place: {what}", "write to a copy: batch.but(x=…), x + 1, not x.add_(1)"
            )
    seen_to_the_end(subject)
    return None


CHECKS = (trains, values, finite, keeps_batches)
