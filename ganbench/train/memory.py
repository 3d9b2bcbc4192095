"""What would fit, when a run does not: found by trying."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Iterator

import torch

from ganbench.plan.spec import RunSpec
from ganbench.plugins import Registry
from ganbench.train.device import is_out_of_memory
from ganbench.train.setup import build_engine

CYCLES = 2
"""Of a trial: optimizers get their memory at the end of the first one. They are watched, which takes the most."""


def fitting(spec: RunSpec, registry: Registry, device: torch.device) -> str:
    """Words for the reason of a run that ran out of memory: the largest of the halves of its batch that goes through
    two cycles here; empty where that cannot be told (the whole batch goes through, none does, or something else fails).
    """
    whole = int(spec.values()["batch_size"])
    for size in _sizes(whole, int(spec.values()["accumulate"])):
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            _try(spec, registry, device, size)
        except Exception as error:
            if not is_out_of_memory(error):
                return ""
            continue
        if size == whole:
            return ""
        return f"; a batch of {size} instead of {whole} fits here: --set batch_size={size}"
    return ""


def _sizes(whole: int, chunks: int) -> Iterator[int]:
    """The batch, its half, the half of that, … as long as it splits into chunks."""
    size = whole
    while size >= 1 and size % chunks == 0:
        yield size
        size //= 2


def _try(spec: RunSpec, registry: Registry, device: torch.device, size: int) -> None:
    recipe = {**spec.recipe, "batch_size": {**spec.recipe["batch_size"], "value": size}}
    engine, _ = build_engine(dataclasses.replace(spec, recipe=recipe), registry, device)
    for _ in range(CYCLES):
        engine.cycle(watch=True)
