"""Nearest neighbours among many points: distances in blocks of rows, so that memory is bounded whatever the number."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

BYTES = 16
"""Of memory for each distance of a block: itself, what its computation needs, and a comparison with a radius."""


def rows_within(memory: float, others: int, most: int | None = None) -> int:
    """How many points may be compared with `others` at once in `memory` gigabytes; at least one, at most `most`."""
    rows = max(1, int(memory * 1e9 / (BYTES * max(1, others))))
    return rows if most is None else min(rows, most)


def distances(points: Tensor, others: Tensor, rows: int) -> Iterator[Tensor]:
    """Euclidean distances `(≤ rows, M)` of points `(N, width)` to others `(M, width)`, block after block."""
    for block in points.split(rows):
        yield torch.cdist(block, others)


def radii(points: Tensor, k: int, rows: int) -> Tensor:
    """The distance of each point to its k-th nearest other one: `(N,)`."""
    return torch.cat([d.topk(k + 1, largest=False).values[:, -1] for d in distances(points, points, rows)])


def any_within(distances: Tensor, radii: Tensor, dim: int) -> Tensor:
    """Whether any of finite distances `(N, M)` along `dim` is at most its radius (`(M,)` or `(N, 1)`): boolean.

    A difference is positive exactly where its first number is larger; on a processor its minimum takes a fraction of
    the time that booleans take.
    """
    return (distances - radii).amin(dim) <= 0
