"""The formulas are the papers'; what every plugin must keep is checked by `--ganbench` (pyproject.toml)."""

from __future__ import annotations

import pytest
import torch
from boundary_seeking import energy_distance, loss


def test_the_loss_is_the_papers() -> None:
    logits = torch.linspace(-3, 3, 13, dtype=torch.float64)
    real = torch.sigmoid(logits)
    boundary = (real.log() - (1 - real).log()).square() / 2
    torch.testing.assert_close(loss.generator(lambda batch: batch, logits), boundary)
    entropy = -real.log() - (1 - real.flip(0)).log()
    torch.testing.assert_close(loss.discriminator(lambda batch: batch, logits, logits.flip(0)), entropy)


def distance(real: torch.Tensor, fake: torch.Tensor) -> float:
    return energy_distance.compute({"features": real}, {"features": fake}, {}, "cpu")["energy-distance"]


def test_the_distance_of_two_normal_distributions() -> None:
    """On a line, 2 E|X - Y| - E|X - X'| - E|Y - Y'| of N(0, 1) and N(3, 1), whose differences are normal too."""
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(4_000, 1, generator=generator) for _ in range(2))
    normal = torch.distributions.Normal(0.0, 1.0)
    apart = torch.tensor(3 / 2**0.5)
    expected = 2 * (2 * normal.log_prob(apart).exp() * 2**0.5 + 3 * (2 * normal.cdf(apart) - 1)) - 4 / torch.pi**0.5
    assert distance(x, y + 3) == pytest.approx(float(expected), rel=0.03)
    assert abs(distance(x, y)) < 0.01


def test_it_is_unbiased_and_does_not_depend_on_the_rows_held() -> None:
    x, y = torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [1.0], [4.0]])
    by_hand = 2 * (1 + 1 + 4 + 1 + 1 + 2) / 6 - 2 * 2 / 2 - 2 * (0 + 3 + 3) / 6
    assert distance(x, y) == pytest.approx(by_hand)
    many = torch.randn(energy_distance.ROWS + 7, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert energy_distance.total(many, many) == pytest.approx(float(torch.cdist(many, many).sum()))
