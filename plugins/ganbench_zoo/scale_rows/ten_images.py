"""ten-images: one training sample of each class, repeated in turn. A collapsed generator at its best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ganbench import ScaleRow, hookimpl

UNLABELLED = 10


def samples(load: Callable[[str], tuple[Any, Any]], n: int, generator: np.random.Generator) -> tuple[Any, Any]:
    """`(n, …)` and labels: as many different samples as there are classes, or ten where the data has no labels."""
    x, y = load("train")
    if y is None:
        chosen = generator.choice(len(x), min(UNLABELLED, len(x)), replace=False)
    else:
        chosen = np.array([generator.choice(np.flatnonzero(y == label)) for label in np.unique(y)])
    taken = chosen[np.arange(n) % len(chosen)]
    return x[taken], None if y is None else y[taken]


@hookimpl
def ganbench_scale_rows():
    yield ScaleRow("ten-images", samples, role="collapse")
