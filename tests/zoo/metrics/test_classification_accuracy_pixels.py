"""Networks trained on generated and on real pixels: digits that get worse, and small images that can be told apart."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ganbench import UsageError
from ganbench.plugins import Registry
from ganbench_zoo.metrics import classification_accuracy_pixels

(CAS,) = classification_accuracy_pixels.ganbench_metrics()
COLUMNS = [c.name for c in CAS.columns]
pytestmark = pytest.mark.filterwarnings("ignore:the gain at")
Side = dict[str, Tensor]


def bars(n: int, seed: int, classes: int = 3) -> Side:
    """Noise of 12 × 10 pixels with a bright bar, whose place is the class; two channels, of which one is dark."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(classes, (n,), generator=generator)
    x = torch.randint(120, (n, 2, 12, 10), generator=generator)
    x[torch.arange(n), 0, 3 * y] += 100
    x[:, 1] = 7
    return {"samples": x.to(torch.uint8), "labels": y}


SEEN = {
    "cas-pixels": ("blur", "noise", "dropped classes", "wrong labels"),
    "cas-pixels-reverse": ("noise", "wrong labels"),
    "gain-pixels-100": ("blur", "dropped classes", "wrong labels"),
    "gain-pixels-1000": ("wrong labels",),
    "gain-pixels-10000": ("wrong labels",),
}
"""What docs/metrics.md says that each column sees."""
TEST, TRAINING = bars(200, 0), bars(400, 1)


def cas(made: Side, **params: Any) -> dict[str, float]:
    few = {"steps": 12, "width": 4, "lr": 0.02}
    return dict(CAS.compute(TEST, made, {**CAS.params, **few, **params}, "cpu", TRAINING))


def test_what_can_be_learnt_is_learnt_and_a_missing_class_costs_its_share() -> None:
    made = bars(300, 2)
    whole = cas(made)
    assert list(whole) == COLUMNS
    assert whole["cas-pixels"] > 0.95 and whole["cas-pixels-reverse"] > 0.95
    lacking = cas({name: t[made["labels"] > 0] for name, t in made.items()})
    assert lacking["cas-pixels"] == pytest.approx(float((TEST["labels"] > 0).double().mean()), abs=0.05)
    wrong = cas(made | {"labels": (made["labels"] + 1) % 3})
    assert wrong["cas-pixels"] < 0.1 and wrong["gain-pixels-100"] < -0.3


def test_the_same_again_whatever_was_drawn_before_and_another_with_another_seed() -> None:
    made = bars(300, 2)
    torch.manual_seed(1)
    first = cas(made, steps=3)
    torch.rand(5)
    assert cas(made, steps=3) == first != cas(made, steps=3, seed=1)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ({"samples": torch.zeros(9, 2, 8, 8, dtype=torch.uint8), "labels": torch.zeros(9).long()}, r"not .*8, 8"),
        (
            {"samples": torch.zeros(9, 2), "labels": torch.zeros(9).long()},
            "takes images of one size, not .*float32",
        ),
        (bars(9, 3) | {"labels": torch.full((9,), -1)}, "labels below 0"),
    ],
)
def test_what_it_does_not_take(made: Side, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        cas(made)


@pytest.mark.full
def test_digits_that_get_worse_teach_less(registry: Registry) -> None:
    x, y = map(torch.from_numpy, registry.get("dataset", "mnist-5k").load("train"))
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    real, made, training = (
        {"samples": x[order[part]], "labels": y[order[part]]}
        for part in (slice(1_000), slice(1_000, 3_000), slice(3_000, None))
    )
    images, labels = made["samples"], made["labels"]
    generator = torch.Generator().manual_seed(1)
    noise, shuffled = torch.randn(images.shape, generator=generator), labels[torch.randperm(2_000, generator=generator)]

    def blurred(size: int) -> Tensor:
        return F.conv2d(images.float(), torch.full((1, 1, size, size), size**-2), padding=size // 2).to(torch.uint8)

    def value(samples: Tensor, labels: Tensor, kept: Tensor | slice = slice(None)) -> dict[str, float]:
        made = {"samples": samples[kept], "labels": labels[kept]}
        return dict(CAS.compute(real, made, {**CAS.params, "steps": 100, "width": 8}, "cpu", training))

    def noisy(level: int) -> Tensor:
        return (images + level * noise).clamp(0, 255).to(torch.uint8)

    half_shuffled = torch.where(torch.arange(2_000) % 2 == 0, shuffled, labels)
    whole = value(images, labels)
    chains = {
        "blur": [value(blurred(size), labels) for size in (3, 7)],
        "noise": [value(noisy(level), labels) for level in (40, 120)],
        "wrong labels": [value(images, wrong) for wrong in (half_shuffled, shuffled)],
        "dropped classes": [value(images, labels, torch.where(labels >= least)[0]) for least in (1, 5)],
    }
    for column, damages in SEEN.items():
        for damage in damages:
            values = [found[column] for found in (whole, *chains[damage])]
            print(column, damage, [round(v, 3) for v in values])
            assert all(a > b for a, b in pairwise(values)), (column, damage, values)
    assert whole["cas-pixels"] > 0.85 and whole["gain-pixels-100"] > 0.1
