"""Classes and their divergence where both are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganbench_zoo.metrics.class_modes import compute


def logits(labels: list[int]) -> Tensor:
    return 5 * torch.eye(8)[labels]


def values(real: list[int], fake: list[int]) -> dict[str, float]:
    return compute({"logits": logits(real)}, {"logits": logits(fake)}, {}, "cpu")


def test_known_divergences() -> None:
    even = list(range(8)) * 5
    assert values(even, even) == {"classes": 8.0, "class-kl": 0.0}
    assert values(even, [0, 1] * 9) == pytest.approx({"classes": 2.0, "class-kl": math.log(8 / 2)})
    uneven = values(even, [0, 0, 0, 1])
    assert uneven["class-kl"] == pytest.approx(0.75 * math.log(0.75 * 8) + 0.25 * math.log(0.25 * 8))


def test_a_class_that_is_not_real_is_infinitely_far() -> None:
    assert values([0, 1], [0, 2]) == {"classes": 2.0, "class-kl": math.inf}
