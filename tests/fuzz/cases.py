"""Cases that are their numbers: the same one gives the same damage."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

Case = Callable[[random.Random, Path], None]


def some(few: int, many: int) -> pytest.MarkDecorator:
    """The first cases by default, and all others in the long tests, a block each."""
    blocks = [range(few), *(range(n, min(n + 250, many)) for n in range(few, many, 250))]
    params = [pytest.param(b, id=f"{b[0]}-{b[-1]}", marks=[pytest.mark.full] if b[0] else []) for b in blocks]
    return pytest.mark.parametrize("numbers", params)


def each(numbers: range, kind: str, place: Path, case: Case) -> None:
    """Go through the cases; a failure names its number."""
    for number in numbers:
        folder = place / str(number)
        folder.mkdir()
        try:
            case(random.Random(f"{kind} {number}"), folder)
        except BaseException as error:
            error.add_note(f"{kind}, case {number}")
            raise
