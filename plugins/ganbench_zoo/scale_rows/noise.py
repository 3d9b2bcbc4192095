"""noise: independent uniform values. The ceiling, so far away that beating it means nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ganbench import ScaleRow, hookimpl


def samples(load: Callable[[str], tuple[Any, Any]], n: int, generator: np.random.Generator) -> tuple[Any, Any]:
    """`(n, …)`, no labels: any whole number that the data's type holds, or floats between the data's extremes."""
    x, _ = load("train")
    shape = (n, *x.shape[1:])
    if np.issubdtype(x.dtype, np.integer):
        whole = np.iinfo(x.dtype)
        return generator.integers(whole.min, whole.max, shape, x.dtype, endpoint=True), None
    return generator.uniform(x.min(), x.max(), shape).astype(x.dtype), None


@hookimpl
def ganbench_scale_rows():
    yield ScaleRow("noise", samples, role="ceiling")
