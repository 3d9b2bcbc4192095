"""Batches split into equal chunks, for gradient accumulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganbench.api import Batch


def split_batch(batch: Batch, chunks: int) -> list[Batch]:
    """Equal parts of a batch; what is no tensor goes to each of them."""
    if chunks == 1:
        return [batch]

    def pieces(value: Any) -> Any:
        return value.chunk(chunks) if isinstance(value, Tensor) else [value] * chunks

    x, y, z = pieces(batch.x), pieces(batch.y), pieces(batch.z)
    extra = {k: pieces(v) for k, v in batch.extra.items()}
    return [batch.but(x=x[i], y=y[i], z=z[i], extra={k: v[i] for k, v in extra.items()}) for i in range(chunks)]


def split_batches(batches: Mapping[str, Batch], chunks: int) -> list[dict[str, Batch]]:
    """The same for one batch per data stream."""
    split = {name: split_batch(batch, chunks) for name, batch in batches.items()}
    return [{name: pieces[i] for name, pieces in split.items()} for i in range(chunks)]
