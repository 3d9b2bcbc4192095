"""One short training of a component under watch; its checks read what it showed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganbench.conformance.checks import Skip
from ganbench.conformance.toys import Form
from ganbench.conformance.watch import Notes, random_numbers, watched
from ganbench.train import Engine

if TYPE_CHECKING:
    from ganbench.conformance.partners import Subject

EARLY, LATE, CYCLES = 2, 4, 20
"""Cycles after which the state is kept: to repeat a training, and to go on from; and the most there are."""

State = tuple[dict[str, Tensor], dict[str, Any]]


@dataclass
class Trace:
    """What a training of at most `CYCLES` cycles showed.

    reached: parameter -> whether it ever had a gradient other than zero, or one of zero and was moved by a constraint.
    early, late: the state after `EARLY` and `LATE` cycles. error: what ended it. engine: as it was at the end.
    """

    notes: Notes = field(default_factory=Notes)
    reached: dict[str, bool] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    early: State | None = None
    late: State | None = None
    error: BaseException | None = None
    engine: Engine | None = None

    @property
    def detached(self) -> bool:
        """Whether it ended because a turn's value depends on no parameter that the turn moves."""
        return isinstance(self.error, RuntimeError) and "does not require grad" in str(self.error)

    @property
    def unreached(self) -> list[str]:
        """Parameters without a gradient so far; a single number (a logit's offset, which a difference of logits
        cannot see) does not count."""
        return [key for key, reached in self.reached.items() if not reached and self.sizes[key] > 1]

    @property
    def finite(self) -> bool:
        """Whether every value of a term was."""
        return all(finite for *_, finite in self.notes.values)


def trace(subject: Subject, form: Form) -> Trace:
    """Train until every parameter was reached, but at least `LATE` cycles."""
    seen = Trace()
    try:
        with random_numbers(seen.notes):
            _train(subject, form, seen)
    except (Exception, SystemExit) as error:
        seen.error = error
    if seen.engine is not None:
        watchers: list[tuple[str, Any]] = [*seen.engine.streams.items(), ("latents", seen.engine.latents)]
        seen.notes.written = [name for name, kept in watchers if kept.look()]
    return seen


def seen_to_the_end(subject: Subject) -> None:
    """Skip what a training that an error ended cannot show: that nothing was found in it says nothing."""
    if any(seen.error is not None and not seen.detached for seen in subject.traces.values()):
        raise Skip("it does not train")


def _train(subject: Subject, form: Form, seen: Trace) -> None:
    seen.engine = engine = subject.engine(form, watch=lambda game: watched(game, seen.notes))
    parameters = {
        f"{name}.{key}": p
        for name, module in modules(engine)
        for key, p in module.named_parameters()
        if p.requires_grad
    }
    seen.sizes = {key: p.numel() for key, p in parameters.items()}
    start = {key: p.detach().clone() for key, p in parameters.items()}
    seen.reached = dict.fromkeys(parameters, False)
    for cycle in range(1, CYCLES + 1):
        engine.cycle((cycle - 1) / CYCLES)
        for key, p in parameters.items():
            if not seen.reached[key] and p.grad is not None:
                seen.reached[key] = bool(p.grad.ne(0).any()) or not torch.equal(p, start[key])
        if cycle == EARLY:
            seen.early = state(engine)
        if cycle == LATE:
            seen.late = state(engine)
        if cycle >= LATE and not (seen.unreached and seen.finite):
            return


def state(engine: Engine) -> State:
    """A copy of all that a checkpoint holds."""
    tensors, plain = engine.state()
    return {k: v.clone() for k, v in tensors.items()}, copy.deepcopy(plain)


def go_on(engine: Engine, until: int) -> State:
    """Train up to a count of cycles, with the progress that `trace` told."""
    while engine.counters["cycles"] < until:
        engine.cycle(engine.counters["cycles"] / CYCLES)
    return state(engine)


def modules(engine: Engine) -> Iterator[tuple[str, nn.Module]]:
    """Players, and the components with heads that somebody trains."""
    yield from engine.nets.items()
    yield from ((n, p.module) for n, p in engine.parts.items() if p.heads and p.module is not None)
