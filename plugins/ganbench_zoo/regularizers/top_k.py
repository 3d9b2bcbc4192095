"""Top-k training of G.  Sinha, Zhao, Goyal, Raffel & Odena 2020, arXiv:2002.06224.

    In G's step only the k generated samples with the highest logits count, and the mean is theirs.

k falls geometrically from the batch size B to ν B, ν = ½. The paper multiplies it by γ = 0.99 after each epoch; here,
where budgets differ, it is at ν B from a share of the budget on: k = B ν^min(1, progress / `top-k.until`). Whatever
value of G's terms belongs to a sample is dropped with it; a scalar stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from ganbench import Batch, Recipe, Regularizer, SampleSpec, hookimpl


class TopK(nn.Module):
    """Keeps the values of the best samples."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.least: float = recipe["top-k.nu"]
        self.until: float = recipe["top-k.until"]

    def weigh(self, turn: str, values: Tensor, D: Callable[[Batch], Tensor], fake: Batch, progress: Tensor) -> Tensor:
        """Values `(B,)` of G's terms, 0 for those that do not count; the others grow so that the mean is theirs."""
        if turn != "G" or values.ndim == 0:
            return values
        logits = D(fake).detach()
        kept = (len(logits) * self.least ** (progress / self.until).clamp(max=1)).ceil()
        rank = logits.argsort(descending=True, stable=True).argsort()
        return torch.where(rank < kept, values * (len(logits) / kept), 0.0)


def fits(spec: SampleSpec, recipe: Recipe, others: tuple[str, ...]) -> str | None:
    """Shares within their bounds."""
    if not 0 < recipe["top-k.nu"] <= 1:
        return f"top-k.nu={recipe['top-k.nu']} is no share of a batch; give one above 0, at most 1"
    if not 0 < recipe["top-k.until"] <= 1:
        return f"top-k.until={recipe['top-k.until']} is no share of the budget; give one above 0, at most 1"
    return None


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Top-k training."""
    yield Regularizer(
        "top-k",
        build=TopK,
        recipe=Recipe({"top-k.nu": 0.5, "top-k.until": 0.5}),
        fits=fits,
        couples_samples=True,
        paper="arXiv:2002.06224",
    )
