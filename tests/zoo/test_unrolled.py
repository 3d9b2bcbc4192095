"""Unrolled GANs against what can be worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganbench import Batch, Recipe, SampleSpec
from ganbench.train.views import View
from ganbench_zoo.regularizers import unrolled

POINTS = SampleSpec((1,), None, "points")
SLOPE, PLACE, RATE = 0.7, -0.4, 0.1


class Line(nn.Module):
    """D(x) = θ x."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(SLOPE), requires_grad=False)  # as in G's turn

    def forward(self, x: Tensor) -> Tensor:
        return self.theta * x[:, 0]


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_the_gradient_runs_through_the_steps_of_a_linear_critic(steps: int) -> None:
    """L_D = θ (φ - x) has the slope φ - x, so θᴷ = θ - K η (φ - x) and dL_G/dφ = d(-θᴷ φ)/dφ = -θᴷ + K η φ."""
    component = next(iter(unrolled.ganbench_regularizers()))
    own = component.build(POINTS, Recipe({"unrolled.steps": steps, "unrolled.lr": RATE}))
    D, place = View("D", Line()), torch.tensor(PLACE, requires_grad=True)
    real, fake = torch.tensor([[1.0], [3.0]]), place.expand(2, 1)

    def loss(view: Any) -> Tensor:
        return (view(Batch(x=fake)) - view(Batch(x=real))).mean()

    ahead = own.opponent(D, loss)
    (-ahead(Batch(x=fake)).mean()).backward()
    theta = SLOPE - steps * RATE * (PLACE - 2.0)
    assert ahead(Batch(x=torch.ones(1, 1))).item() == pytest.approx(theta)
    assert place.grad is not None and place.grad.item() == pytest.approx(-theta + steps * RATE * PLACE)
    assert D(Batch(x=torch.ones(1, 1))).item() == pytest.approx(SLOPE)


def test_parameters_that_the_loss_does_not_see_stay() -> None:
    own = unrolled.Unrolled(POINTS, Recipe({"unrolled.steps": 2, "unrolled.lr": RATE}))
    net = nn.Sequential(nn.Linear(1, 1), nn.Flatten(0))
    ahead = own.opponent(View("D", net), lambda view: -view(Batch(x=torch.ones(3, 1))).mean() + view.net[0].bias.mean())
    assert ahead(Batch(x=torch.zeros(1, 1))).item() == pytest.approx(net[0].bias.item() + 2 * RATE)
