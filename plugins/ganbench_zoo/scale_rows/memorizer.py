"""memorizer: training samples, replayed. An excellent distance that says nothing about generating."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ganbench import ScaleRow, hookimpl


def samples(load: Callable[[str], tuple[Any, Any]], n: int, generator: np.random.Generator) -> tuple[Any, Any]:
    """n training samples `(n, …)` and their labels, none a second time before all have been taken."""
    x, y = load("train")
    rounds = [generator.permutation(len(x)) for _ in range(-(-n // len(x)))]
    taken = np.concatenate(rounds)[:n]
    return x[taken], None if y is None else y[taken]


@hookimpl
def ganbench_scale_rows():
    yield ScaleRow("memorizer", samples, role="copies")
