"""Weight clipping.  Arjovsky, Chintala & Bottou 2017, arXiv:1701.07875, algorithm 1.

w ← clip(w, -c, c)        after each step of D, for every parameter of D
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from ganbench import Recipe, Regularizer, SampleSpec, hookimpl


class WeightClipping(nn.Module):
    """Holds every parameter of D in `[-c, c]`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.c: float = recipe["weight-clipping.c"]

    @torch.no_grad()
    def after(self, turn: str, nets: Mapping[str, Any]) -> None:
        """Clip, where it was D's turn."""
        if turn == "D":
            for weight in nets["D"].parameters():
                weight.clamp_(-self.c, self.c)


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Weight clipping."""
    yield Regularizer(
        "weight-clipping", build=WeightClipping, recipe=Recipe({"weight-clipping.c": 0.01}), paper="arXiv:1701.07875"
    )
