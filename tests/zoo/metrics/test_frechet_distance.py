"""The distance against other ways to compute it, and what it says of too few samples."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from ganbench import Caution
from ganbench_zoo.metrics.frechet_distance import compute


def correlated(n: int, width: int, seed: int, shift: float = 0.0) -> Tensor:
    """Samples of a Gaussian whose covariance has eigenvalues over four decades."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(width, width, generator=torch.Generator().manual_seed(width)) * torch.logspace(0, -2, width)
    return torch.randn(n, width, generator=generator) @ mix + shift


def distance(real: Tensor, fake: Tensor) -> float:
    return compute({"features": real}, {"features": fake}, {}, "cpu")["fd"]


def traces(*sides: Tensor) -> float:
    return sum(float(side.double().var(0).sum()) for side in sides)


@pytest.mark.parametrize(("n", "width"), [(500, 96), (500, 400), (100, 192)])
@pytest.mark.filterwarnings("ignore:.*rank-deficient")
def test_torch_fidelitys_maths_and_scipys_matrix_root(n: int, width: int) -> None:
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    real, fake = correlated(n, width, 0), correlated(n + 50, width, 1, 0.1)
    value, bound = distance(real, fake), 1e-6 * traces(real, fake)
    statistics = [fid_features_to_statistics(side) for side in (fake, real)]
    assert value == pytest.approx(
        fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"], abs=bound
    )
    a, b = real.double().numpy(), fake.double().numpy()
    root = scipy.linalg.sqrtm(np.cov(a.T) @ np.cov(b.T)).real
    by_root = ((a.mean(0) - b.mean(0)) ** 2).sum() + traces(real, fake) - 2 * np.trace(root)
    assert value == pytest.approx(
        by_root, abs=bound if n > width else 100 * bound
    )  # a singular matrix has no exact root


def test_the_closed_form_for_gaussian_features() -> None:
    width, scale, shift = 16, torch.linspace(0.5, 2, 16), 0.5
    generator = torch.Generator().manual_seed(3)
    real, fake = torch.randn(40_000, width, generator=generator), torch.randn(40_000, width, generator=generator)
    exact = width * shift**2 + float(((scale - 1) ** 2).sum())
    assert distance(real, fake * scale + shift) == pytest.approx(exact, rel=0.005)


def test_the_real_half_is_kept_for_the_same_features_only() -> None:
    fake = correlated(300, 12, 2)
    first, second = correlated(300, 12, 0), correlated(300, 12, 1)
    values = [distance(real, fake) for real in (first, second, first.clone(), second)]
    assert values[0] == values[2] != values[1] == values[3]


def test_few_samples_are_warned_of() -> None:
    many, few = correlated(60, 20, 0), correlated(20, 20, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Caution)
        distance(many, many + 1)
    with pytest.warns(Caution, match=r"^20 generated samples for 20 features: the covariance is rank-deficient$"):
        distance(many, few)
    with pytest.warns(Caution, match="^20 real samples"):
        distance(few, many)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_the_same_on_a_gpu() -> None:
    real, fake = correlated(500, 96, 0), correlated(500, 96, 1, 0.1)
    on_gpu = compute({"features": real}, {"features": fake}, {}, "cuda")["fd"]
    assert on_gpu == pytest.approx(distance(real, fake), abs=1e-9 * traces(real, fake))
