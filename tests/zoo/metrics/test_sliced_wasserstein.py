"""Sliced Wasserstein distance where it is known, and per-class distances."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganbench_zoo.metrics import sliced_wasserstein

(METRIC,) = sliced_wasserstein.ganbench_metrics()


def swd(real: Tensor, fake: Tensor) -> float:
    return METRIC.compute({"samples": real}, {"samples": fake}, METRIC.params, "cpu")["swd"]


def normal(n: int, seed: int) -> Tensor:
    return torch.randn(n, 8, generator=torch.Generator().manual_seed(seed))


def test_a_shift_is_its_length_along_the_mean_direction() -> None:
    x = normal(500, 0)
    shift = torch.zeros(8)
    shift[2] = 3.0
    assert swd(x, x[torch.randperm(500)] + shift) == pytest.approx(3 / math.sqrt(8), rel=0.05)  # E cos² = 1 / width
    assert swd(x, x.flip(0)) == 0


def test_a_scale_between_gaussians() -> None:
    assert swd(normal(3_000, 1), 1.5 * normal(3_000, 2)) == pytest.approx(0.5, rel=0.05)


def test_images_count_from_0_to_1_and_the_larger_side_is_cut() -> None:
    black, white = torch.zeros(40, 1, 4, 4, dtype=torch.uint8), torch.full((30, 1, 4, 4), 255, dtype=torch.uint8)
    floats = swd(black.float(), white.float() / 255)
    assert swd(black, white) == pytest.approx(floats, rel=1e-6) and floats == pytest.approx(1, rel=0.1)
