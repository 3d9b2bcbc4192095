"""A stated sampling error against what it claims to be: how values differ between samples of one generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor

from ganbench import Measured
from ganbench.plugins import Registry

Side = dict[str, Tensor]
Draw = Callable[[torch.Generator], Side]


@dataclass(frozen=True)
class Case:
    """A generator, and how far the mean stated error may be from the spread of the values.

    draw: samples of it. real, training: the other sides, drawn once. columns: those that state an error.
    """

    metric: str
    draw: Draw
    columns: tuple[str, ...]
    real: Draw
    training: Draw | None = None
    params: dict[str, Any] = field(default_factory=dict)
    draws: int = 120


def gauss(n: int, width: int, shift: float = 0.0, scale: float = 1.0, need: str = "features") -> Draw:
    return lambda g: {need: torch.randn(n, width, generator=g) * scale + shift}


def labelled(n: int, width: int, shift: float = 0.0) -> Draw:
    """Three classes, one of which is shifted twice as far."""

    def draw(g: torch.Generator) -> Side:
        labels = torch.randint(3, (n,), generator=g)
        x = torch.randn(n, width, generator=g) + 2 * torch.eye(3, width)[labels]
        return {"features": x + shift * (1 + (labels == 2))[:, None], "labels": labels}

    return draw


def classes(n: int, weights: list[float], sure: float = 2.0) -> Draw:
    """Logits of classes that are drawn with these weights."""

    def draw(g: torch.Generator) -> Side:
        y = torch.multinomial(torch.tensor(weights), n, replacement=True, generator=g)
        return {"logits": torch.randn(n, len(weights), generator=g) + sure * torch.eye(len(weights))[y]}

    return draw


def ring(n: int, sigma: float, modes: int) -> Draw:
    def draw(g: torch.Generator) -> Side:
        angle = torch.randint(modes, (n,), generator=g) * torch.pi / 4
        centers = torch.stack([angle.cos(), angle.sin()], 1)
        return {"samples": centers + sigma * torch.randn(n, 2, generator=g)}

    return draw


def partly_copied(n: int, width: int, copies: int, seen: Tensor) -> Draw:
    def draw(g: torch.Generator) -> Side:
        x = torch.randn(n, width, generator=g)
        copied = torch.rand(n, generator=g) < copies / n
        return {"features": torch.where(copied[:, None], seen[torch.randint(len(seen), (n,), generator=g)], x)}

    return draw


SEEN = torch.randn(500, 4, generator=torch.Generator().manual_seed(3))
FEW_SUBSETS = {"subsets": 4, "subset_size": 200}
CASES = {
    "fd": Case("frechet-distance", gauss(400, 12, 0.4, 0.8), ("fd",), gauss(500, 12)),
    "fd of alike": Case("frechet-distance", gauss(400, 12), ("fd",), gauss(500, 12)),
    "fd of few": Case("frechet-distance", gauss(80, 40, 0.3), ("fd",), gauss(500, 40)),
    "intra": Case("intra-class-distance", labelled(400, 6, 0.5), ("intra-fd", "intra-fd-worst"), labelled(500, 6)),
    "score": Case("classifier-score", classes(500, [5.0, 3.0, 1.0, 1.0]), ("classifier-score",), classes(500, [1.0])),
    "kid": Case("kid", gauss(600, 8, 0.3, 0.9), ("kid",), gauss(700, 8), params=FEW_SUBSETS),
    "kid of alike": Case("kid", gauss(600, 8), ("kid",), gauss(700, 8), params=FEW_SUBSETS),
    "pr": Case("precision-recall", gauss(600, 8, 0.5, 0.8), ("precision", "recall"), gauss(600, 8)),
    "pr of alike": Case("precision-recall", gauss(600, 8), ("precision", "recall"), gauss(600, 8)),
    "dc": Case("density-coverage", gauss(600, 8, 0.5, 0.8), ("density", "coverage"), gauss(600, 8)),
    "dc of alike": Case("density-coverage", gauss(600, 8), ("density", "coverage"), gauss(600, 8)),
    "class-modes": Case("class-modes", classes(500, [5.0, 3.0, 1.0, 1.0]), ("class-kl",), classes(500, [1.0] * 4)),
    "class-modes of alike": Case("class-modes", classes(500, [1.0] * 9), ("class-kl",), classes(50_000, [1.0] * 9)),
    "modes": Case("modes", ring(500, 0.012, 6), ("high-quality", "mode-kl", "reverse-kl"), ring(2, 1.0, 8)),
    "modes of alike": Case("modes", ring(500, 0.01, 8), ("high-quality", "mode-kl", "reverse-kl"), ring(2, 1.0, 8)),
    "cas": Case("classification-accuracy", labelled(300, 4, 0.3), ("cas-reverse",), labelled(150, 4), labelled(150, 4),
                draws=30),
    "swd": Case("sliced-wasserstein", gauss(400, 6, 0.4, 0.8, "samples"), ("swd",), gauss(400, 6, need="samples"),
                params={"directions": 64}),
    "copies": Case("copy-evidence", partly_copied(400, 4, 40, SEEN), ("copy-evidence",), gauss(400, 4),
                   lambda g: {"features": SEEN}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*rank-deficient")
@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.full] if n == "cas" else []) for n in CASES])
def test_the_stated_error_is_the_spread_over_samples_of_one_generator(registry: Registry, name: str) -> None:
    case = CASES[name]
    metric = registry.get("metric", case.metric)
    generator = torch.Generator().manual_seed(0)
    real = case.real(generator)
    third = [case.training(generator)] if case.training else []
    found = [
        metric.compute(real, case.draw(generator), {**metric.params, **case.params}, "cpu", *third)
        for _ in range(case.draws)
    ]
    for column in case.columns:
        values: list[Measured] = [f[column] for f in found]
        assert all(v.error is not None and v.method for v in values), column
        spread = float(torch.tensor(values, dtype=torch.float64).std())
        ratio = sum(v.error for v in values) / len(values) / spread  # type: ignore[misc]
        print(f"{name}: {column} {float(values[0]):.4g}, spread {spread:.3g}, stated / spread {ratio:.2f}")
        assert 0.7 < ratio < 1.4, f"{column}: stated over actual {ratio:.2f}"
