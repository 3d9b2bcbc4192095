"""Every metric on digits that get worse: it must order them rightly wherever the page says that it sees the damage."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ganbench import Metric
from ganbench.plugins import Registry

PAGE = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
N = 1_000
FEWER = {"kid": {"subsets": 10, "subset_size": 500}, "sliced-wasserstein": {"directions": 128}}
CHAINS = {
    "blur": ("real", "blur of 3", "blur of 5"),
    "noise": ("real", "noise of 30", "noise of 90"),
    "dropped classes": ("real", "without a class", "half of the classes"),
    "wrong labels": ("real", "wrong labels"),
    "copies": ("real", "a fifth copied", "all copied"),
}
"""Damage, as the page calls it → samples from good to bad."""
ANOTHER_SUBJECT = {"modes": "points with known modes"}
"""Metrics that digits say nothing about."""
SLOW = {"classification-accuracy-pixels"}
"""Metrics with a full test of their own of what the page says."""

Side = dict[str, Tensor]


def page() -> dict[str, tuple[str, ...]]:
    """Column → the damage that the page says it sees."""
    row = re.compile(r"^\| `([\w-]+)` \| ([\w, ]+) \|", re.MULTILINE)
    table = PAGE.read_text(encoding="utf-8").split("## What they see")[1]
    return {name: () if seen == "nothing" else tuple(seen.split(", ")) for name, seen in row.findall(table)}


@pytest.fixture(scope="module")
def digits(registry: Registry) -> tuple[Side, Side, dict[str, Side]]:
    """Real samples, training samples, and the generated ones by name."""
    network = registry.get("extractor", "mnist-cnn").build()
    x, y = map(torch.from_numpy, registry.get("dataset", "mnist-5k").load("train"))
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))

    def side(x: Tensor, y: Tensor) -> Side:
        with torch.no_grad():
            parts = [network(batch) for batch in x.split(250)]
        features, logits = (torch.cat(part) for part in zip(*parts, strict=True))
        return {"features": features, "logits": logits, "samples": x, "labels": y}

    real, made, training = (
        side(x[order[part]], y[order[part]]) for part in (slice(N), slice(N, 2 * N), slice(2 * N, None))
    )
    images, labels = made["samples"], made["labels"]

    def blurred(size: int) -> Tensor:
        kernel = torch.full((1, 1, size, size), 1 / size**2)
        return F.conv2d(images.float(), kernel, padding=size // 2).round().to(torch.uint8)

    def noisy(level: float) -> Tensor:
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
        return (images + level * noise).round().clamp(0, 255).to(torch.uint8)

    def without(classes: int) -> Side:
        kept = torch.where(labels >= classes)[0]
        return {name: t[kept[torch.arange(N) % len(kept)]] for name, t in made.items()}

    def copied(n: int) -> Side:
        return {name: torch.cat([training[name][:n], t[n:]]) for name, t in made.items()}

    return (
        real,
        training,
        {
            "real": made,
            "blur of 3": side(blurred(3), labels),
            "blur of 5": side(blurred(5), labels),
            "noise of 30": side(noisy(30), labels),
            "noise of 90": side(noisy(90), labels),
            "without a class": without(1),
            "half of the classes": without(5),
            "wrong labels": made | {"labels": labels.roll(1)},
            "a fifth copied": copied(N // 5),
            "all copied": copied(N),
        },
    )


def metrics(registry: Registry) -> Iterator[Metric]:
    """All that the zoo registers."""
    for entry in registry.entries:
        if entry.kind == "metric" and entry.provenance.provider == "zoo":
            yield entry.record


def test_the_page_lists_every_column(registry: Registry) -> None:
    columns = {c.name for m in metrics(registry) for c in m.columns if m.name not in ANOTHER_SUBJECT}
    assert set(page()) == columns
    assert {damage for seen in page().values() for damage in seen} == set(CHAINS)


@pytest.mark.filterwarnings("ignore:.*rank-deficient")
def test_what_the_page_says_is_seen_is_ordered(registry: Registry, digits: tuple[Side, Side, dict[str, Side]]) -> None:
    real, training, series = digits
    wrong = []
    for metric in (m for m in metrics(registry) if m.name not in SLOW):
        seen = {c.name: page().get(c.name, ()) for c in metric.columns}
        named = dict.fromkeys(name for damages in seen.values() for d in damages for name in CHAINS[d])
        third = [{need: training[need] for need in metric.needs if need != "training"}]
        params: dict[str, Any] = {**metric.params, **FEWER.get(metric.name, {})}
        values = {
            name: metric.compute(real, series[name], params, "cpu", *(third if "training" in metric.needs else []))
            for name in named
        }
        for column in metric.columns:
            sign = {"lower": 1, "higher": -1}[column.direction]
            for damage in seen[column.name]:
                chain = [sign * values[name][column.name] for name in CHAINS[damage]]
                if any(a >= b for a, b in pairwise(chain)):
                    wrong.append(f"{column.name} does not see {damage}: {chain}")
    assert not wrong, "\n".join(wrong)
