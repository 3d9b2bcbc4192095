"""Metrics on numbers that can be worked out by hand or by brute force, and on sides that leave no spread at all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganbench import Metric, UsageError
from ganbench_zoo.metrics import classifier_score, frechet_distance, kid, precision_recall

MODULES = (frechet_distance, classifier_score, kid, precision_recall)
METRICS: dict[str, Metric] = {m.name: m for module in MODULES for m in module.ganbench_metrics()}


def measure(name: str, real: Tensor, fake: Tensor, **params: Any) -> dict[str, float]:
    metric = METRICS[name]
    need = metric.needs[0]
    values = metric.compute({need: real}, {need: fake}, {**metric.params, **params}, "cpu")
    assert set(values) == {c.name for c in metric.columns} and all(isinstance(v, float) for v in values.values())
    return dict(values)


def normal(n: int, width: int, seed: int) -> Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed))


def whitened(n: int, width: int, seed: int) -> Tensor:
    """Mean 0 and covariance 1, exactly but for rounding."""
    x = normal(n, width, seed).double()
    x -= x.mean(0)
    return x @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov()).T)


def test_frechet_distance_between_known_gaussians() -> None:
    x = whitened(500, 6, 0)
    scale, shift = torch.arange(1, 7.0).double(), torch.arange(6.0).double()
    expected = float((shift**2).sum() + ((scale - 1) ** 2).sum())
    assert measure("frechet-distance", x.float(), (x * scale + shift).float())["fd"] == pytest.approx(
        expected, rel=1e-5
    )


def test_frechet_distance_of_equal_sides_is_zero() -> None:
    x = normal(400, 32, 1)
    assert 0 <= measure("frechet-distance", x, x.clone())["fd"] < 1e-4


def test_frechet_distance_from_a_point_is_the_mean_square_distance() -> None:
    x, point = normal(400, 8, 2), torch.full((300, 8), 3.0)
    expected = float(((x - 3) ** 2).sum(1).mean() + x.var(0).sum() / 400)  # covariances divide by N - 1
    assert measure("frechet-distance", x, point)["fd"] == pytest.approx(expected, rel=1e-5)


def test_classifier_score_of_certain_and_of_undecided_classes() -> None:
    certain = 50 * torch.eye(5).repeat(200, 1)
    assert measure("classifier-score", certain, certain, splits=1)["classifier-score"] == pytest.approx(5, rel=1e-6)
    assert measure("classifier-score", certain, torch.zeros(1000, 5))["classifier-score"] == pytest.approx(1)


def test_classifier_score_is_the_mean_over_shuffled_splits() -> None:
    logits = 2 * normal(640, 4, 3)
    p = torch.softmax(logits.double(), 1).numpy()[np.random.RandomState(7).permutation(640)]
    parts = [math.exp(float((q * np.log(q / q.mean(0))).sum(1).mean())) for q in np.split(p, 8)]
    value = measure("classifier-score", logits, logits, splits=8, seed=7)["classifier-score"]
    assert value == pytest.approx(float(np.mean(parts)), rel=1e-9)


def test_kernel_distance_against_its_definition() -> None:
    real, fake = normal(60, 5, 4), normal(60, 5, 5) + 1

    def mean(a: Tensor, b: Tensor, same: bool) -> float:
        k = (a.double() @ b.double().T / 5 + 1) ** 3
        return float((k.sum() - (k.diag().sum() if same else 0)) / (60 * (59 if same else 60)))

    expected = mean(real, real, True) + mean(fake, fake, True) - 2 * mean(real, fake, False)
    value = measure("kid", real, fake, subsets=3, subset_size=60)["kid"]
    assert value == pytest.approx(expected, rel=1e-4)
    assert measure("kid", real, fake, subsets=3, subset_size=60, gamma=1 / 5)["kid"] == pytest.approx(value, rel=1e-6)


def test_kernel_distance_of_one_distribution_is_around_zero() -> None:
    values = [
        measure("kid", normal(500, 8, 2 * i), normal(500, 8, 2 * i + 1), subset_size=400, subsets=20)["kid"]
        for i in range(6)
    ]
    assert min(values) < 0 < max(values) and max(map(abs, values)) < 0.05


def test_precision_and_recall_against_brute_force() -> None:
    real, fake = normal(300, 3, 6), 0.6 * normal(250, 3, 7) + 0.7
    r, f = real.double().numpy(), fake.double().numpy()

    def inside(points: np.ndarray, balls: np.ndarray, k: int) -> float:
        def far(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return np.sqrt(((a[:, None] - b[None]) ** 2).sum(2))

        radius = np.sort(far(balls, balls), 1)[:, k]  # place 0 is the ball's own centre
        return float((far(points, balls) <= radius).any(1).mean())

    for k in (1, 3):
        values = measure("precision-recall", real, fake, neighborhood=k, block=64)
        assert values["precision"] == pytest.approx(inside(f, r, k), abs=0.005)
        assert values["recall"] == pytest.approx(inside(r, f, k), abs=0.005)
    assert values["precision"] > values["recall"] + 0.1


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("real", [normal(120, 6, 8), torch.zeros(120, 6)], ids=["spread", "flat"])
def test_identical_samples_give_a_number(name: str, real: Tensor) -> None:
    few = {"subset_size": 100, "subsets": 2} if name == "kid" else {}
    values = measure(name, real, torch.full((110, 6), 0.5), **few)
    assert all(math.isfinite(v) for v in values.values())


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("kid", "subsets of 1000 from 3 samples"),
        ("precision-recall", "3 nearest neighbours among 3 samples"),
        ("classifier-score", "10 splits of 3 samples"),
    ],
)
def test_too_few_samples_are_named(name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        measure(name, normal(500, 4, 9), normal(3, 4, 10))


@pytest.mark.parametrize("name", METRICS)
def test_the_same_again(name: str) -> None:
    few = {"subset_size": 100, "subsets": 2} if name == "kid" else {}
    a, b = normal(200, 6, 11), normal(200, 6, 12)
    torch.manual_seed(1)
    first = measure(name, a, b, **few)
    torch.manual_seed(2)
    assert measure(name, a, b, **few) == first
