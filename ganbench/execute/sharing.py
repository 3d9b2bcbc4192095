"""Several runs on one GPU: how many of them its memory holds, as far as records of finished runs can tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ALLOWANCE = 3 * 2**29
"""Bytes of a run beside its tensors, for CUDA in a training and a scoring process: a guess, which nobody measured."""


def most_at_once(records: Iterable[Mapping[str, Any]]) -> int | None:
    """How many runs fit on a GPU at a time, if each takes as much memory as the largest of those that finished on the
    smallest GPU among the records; at least 1. None where no record tells."""
    needed, there = 0, 0
    for record in records:
        gpu, throughput = _part(_part(record, "environment"), "gpu"), _part(record, "throughput")
        memory, peak = gpu.get("memory"), throughput.get("peak_memory_bytes")
        if isinstance(memory, int) and isinstance(peak, int) and memory > 0:
            needed, there = max(needed, peak + ALLOWANCE), min(there or memory, memory)
    return max(1, there // needed) if needed else None


def _part(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """A part of a record; empty where it is none, for records may come from anywhere."""
    part = record.get(key)
    return part if isinstance(part, Mapping) else {}
