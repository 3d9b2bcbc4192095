"""Eyes on a training: batches that are written to, generators that are seeded, what terms give."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from ganbench.api import Batch, Game, Turn
from ganbench.train.draws import Latents, Stream


@dataclasses.dataclass
class Notes:
    """What was seen. values: (turn, term, shape, finite). seeded, foreign: lines about random numbers."""

    values: list[tuple[str, str, tuple[int, ...], bool]] = dataclasses.field(default_factory=list)
    seeded: list[str] = dataclasses.field(default_factory=list)
    foreign: list[str] = dataclasses.field(default_factory=list)
    written: list[str] = dataclasses.field(default_factory=list)


class _Kept:
    """Remembers the last batch that it gave, and whether somebody wrote to it."""

    written = False
    _given: tuple[Tensor, Tensor] | None = None

    def look(self) -> bool:
        """Whether any batch so far is no longer what it was."""
        if self._given is not None and self._given[0].device.type != "meta":
            self.written = self.written or not torch.equal(*self._given)
        return self.written

    def keep(self, tensor: Tensor | None) -> None:
        """Remember a batch; the one before is looked at a last time."""
        self.look()
        self._given = (tensor, tensor.clone()) if tensor is not None else None


class KeptStream(_Kept, Stream):
    """A stream of real batches that notices when one is changed in place."""

    def next(self, count: int) -> Batch:
        """The next real batch."""
        batch = super().next(count)
        self.keep(batch.x)
        return batch


class KeptLatents(_Kept, Latents):
    """Latents that notice when they are changed in place."""

    def draw(self, count: int, purpose: str, *axes: str | int) -> Batch:
        """Latents for one purpose."""
        batch = super().draw(count, purpose, *axes)
        self.keep(batch.z)
        return batch


@contextlib.contextmanager
def random_numbers(notes: Notes) -> Iterator[None]:
    """Note who seeds torch, makes a generator, or uses `random` or NumPy's global generator meanwhile."""

    def note(lines: list[str], name: str) -> None:
        caller = sys._getframe(2).f_globals.get("__name__", "")
        if not caller.startswith(("ganbench.", "torch.", "numpy.")):
            lines.append(f"{name} is called")

    def noted(function: Callable[..., Any], lines: list[str], name: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            note(lines, name)
            return function(*args, **kwargs)

        return call

    made = torch.Generator

    class Meta(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, made)

    class Generator(metaclass=Meta):  # a class still, for whoever asks or annotates
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            note(notes.seeded, "torch.Generator")
            return made(*args, **kwargs)

    # What torch imports with its first optimizer and its first compiled function is imported before the eyes open.
    torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    before = random.getstate(), _numpy_state()
    with contextlib.ExitStack() as stack:
        for owner, attribute, lines in (
            (torch, "manual_seed", notes.seeded),
            (torch.random, "manual_seed", notes.seeded),
            (torch, "seed", notes.seeded),
            (torch.cuda, "manual_seed_all", notes.seeded),
            (np.random, "default_rng", notes.foreign),
        ):
            name = f"{owner.__name__}.{attribute}"
            stack.enter_context(mock.patch.object(owner, attribute, noted(getattr(owner, attribute), lines, name)))
        stack.enter_context(mock.patch.object(torch, "Generator", Generator))
        yield
    if random.getstate() != before[0]:
        notes.foreign.append("Python's random is used")
    if _numpy_state() != before[1]:
        notes.foreign.append("NumPy's global generator is used")


def _numpy_state() -> tuple[Any, ...]:
    name, keys, *rest = np.random.get_state(legacy=True)
    return name, np.asarray(keys).tobytes(), *rest


def watched(game: Game, notes: Notes) -> Game:
    """The same game, whose turns note what their terms give and whether torch was seeded on the way."""

    def eyes(turn: Turn) -> Turn:
        @functools.wraps(turn.objective)
        def objective(*args: Any, **kwargs: Any) -> Any:
            before = torch.default_generator.initial_seed()
            values = turn.objective(*args, **kwargs)
            if torch.default_generator.initial_seed() != before:
                notes.seeded.append("torch's default generator has another seed than the engine gave it")
            for name, value in values.items() if isinstance(values, Mapping) else ():
                if isinstance(value, Tensor):  # what is none the engine refuses, in its own words
                    notes.values.append((turn.name, name, tuple(value.shape), bool(value.isfinite().all())))
            return values

        return dataclasses.replace(turn, objective=objective)

    turns = tuple(tuple(map(eyes, t)) if isinstance(t, tuple) else eyes(t) for t in game.turns)
    return dataclasses.replace(game, turns=turns)
