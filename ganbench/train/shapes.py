"""The forms that games have to give: terms with values, samples `(B, *spec.shape)`; and in the standard game one answer
for each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ganbench.api import Answer, Batch
from ganbench.errors import UsageError

if TYPE_CHECKING:
    from ganbench.train.engine import Engine

Wrong = tuple[str, str]
"""What is wrong with a form, and what to change."""


def wrong_samples(x: Any, wanted: tuple[int, ...], who: str = "G") -> Wrong | None:
    """None if G (or whoever) gave samples of this shape, the batch's axis first."""
    if isinstance(x, Tensor) and tuple(x.shape) == wanted:
        return None
    return (
        f"{who} gives {_form(x)} instead of {wanted}",
        "end G with a layer that gives (B, *spec.shape), e.g. nn.Unflatten(1, spec.shape)",
    )


def wrong_answer(answer: Answer, count: int | None) -> Wrong | None:
    """None if D gave one logit (or energy) per sample, or k: `(B,)`, `(B, k)`. count: B; None: any."""
    said: Any = answer.logit if answer.logit is not None else answer.energy
    if isinstance(said, Tensor) and said.ndim in (1, 2) and said.shape[1:] != (1,) and count in (None, len(said)):
        return None
    wanted = f"({'B' if count is None else count},)"
    return (
        f"D answers {_form(said)} instead of {wanted}",
        "give one logit per sample, (B,): end D with .flatten(0) or .squeeze(1)",
    )


def hold_values(turn: str, term: str, values: Any) -> None:
    """A `UsageError` where a term gave no tensor: a `return` that was forgotten, say."""
    if not isinstance(values, Tensor):
        wanted = "a term gives one value per sample, a tensor (B,), or a scalar tensor; is its return there?"
        raise UsageError(f"{term} gives {_form(values)} in turn {turn}; {wanted}")


def means(turn: str, terms: Any) -> dict[str, Tensor]:
    """The mean of each term of a turn; a `UsageError` where its objective gave something else than terms."""
    if not isinstance(terms, Mapping):
        raise UsageError(f"the objective of turn {turn} gives {_form(terms)} instead of {{term: values}}")
    for name, values in terms.items():
        hold_values(turn, name, values)
    return {name: values.mean() for name, values in terms.items()}


def hold_samples(made: Any, wanted: tuple[int, ...]) -> None:
    """A `UsageError` where what a game's `sample` gave is no batch of samples of this shape."""
    if not isinstance(made, Batch):
        raise UsageError(f"the game's sample gives a {type(made).__name__} instead of a Batch; give what G.make gives")
    _raise(wrong_samples(made.x, wanted, "the game's sample"))


@contextlib.contextmanager
def forms_held(engine: Engine) -> Iterator[None]:
    """While it lasts, what the standard game's networks give is held to its form; a wrong one is a `UsageError`.

    D may answer with classes or features alone, and for several samples at once where a component packs them.
    """
    generator, discriminator = engine.views["G"], engine.views["D"]
    make, answer = generator.make, discriminator.answer
    packs = any(hasattr(part.module, "sees") for part in engine.parts.values())

    def made(latents: Batch) -> Batch:
        batch = make(latents)
        if latents.z is not None:
            _raise(wrong_samples(batch.x, (len(latents.z), *engine.spec.shape)))
        return batch

    def answered(batch: Batch) -> Answer:
        found = answer(batch)
        if found.logit is not None or found.energy is not None:
            _raise(wrong_answer(found, None if packs or batch.x is None else len(batch.x)))
        return found

    vars(generator)["make"], vars(discriminator)["answer"] = made, answered
    try:
        yield
    finally:
        del vars(generator)["make"], vars(discriminator)["answer"]


def _raise(wrong: Wrong | None) -> None:
    if wrong is not None:
        raise UsageError("; ".join(wrong))


def _form(value: Any) -> str:
    if isinstance(value, Tensor):
        return str(tuple(value.shape))
    return "nothing" if value is None else f"a {type(value).__name__}"
