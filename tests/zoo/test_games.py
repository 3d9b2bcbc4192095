"""Games against the papers' equations, worked out by hand or in another way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganbench import Batch, Game, GameBuilder, Recipe, SampleSpec, Turn
from ganbench.plan.recipe import ENGINE
from ganbench_zoo.games import gmmn
from ganbench_zoo.layers.coders import decoder, encoder, pyramid

POINTS, IMAGES = SampleSpec((2,), None, "points"), SampleSpec((1, 28, 28))


def builder(module: Any) -> GameBuilder:
    return next(iter(module.ganbench_games()))


def recipe(module: Any, **changes: Any) -> Recipe:
    return Recipe({**ENGINE, **builder(module).recipe, **changes})


def turns(game: Game) -> dict[str, Turn]:
    return {turn.name: turn for turn in game.turns if isinstance(turn, Turn)}


class Fixed:
    """A generator whose samples are given."""

    def __init__(self, x: Tensor) -> None:
        self.x = x

    def make(self, latents: Batch) -> Batch:
        return latents.but(x=self.x, origin="fake")


def naive_discrepancy(real: np.ndarray, fake: np.ndarray, bandwidths: tuple[float, ...]) -> float:
    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(
            np.mean([sum(math.exp(-((p - q) ** 2).sum() / (2 * s)) for s in bandwidths) for p in a for q in b])
        )

    return mean(real, real) - 2 * mean(real, fake) + mean(fake, fake)


def test_gmmn_minimises_the_root_of_the_discrepancy_of_samples_scaled_to_one() -> None:
    real, fake = (torch.rand(n, 1, 4, 4, generator=torch.Generator().manual_seed(n)) for n in (5, 7))
    recipe_ = recipe(gmmn, bandwidths=(0.5, 2.0))
    game = builder(gmmn).build(SampleSpec((1, 4, 4)), recipe_)
    term = turns(game)["G"].objective(Fixed(2 * fake - 1), Batch(x=2 * real - 1), Batch(z=torch.zeros(7, 1)))["mmd"]
    expected = naive_discrepancy(real.flatten(1).numpy(), fake.flatten(1).numpy(), (0.5, 2.0))
    assert term.item() == pytest.approx(math.sqrt(expected), rel=1e-4)


def test_gmmn_sees_no_difference_between_a_batch_and_itself_and_its_slope_stays_finite() -> None:
    x = torch.randn(6, 2, requires_grad=True)
    game = builder(gmmn).build(POINTS, recipe(gmmn))
    term = turns(game)["G"].objective(Fixed(x), Batch(x=x.detach()), Batch(z=torch.zeros(6, 1)))["mmd"]
    term.backward()
    assert term.item() == pytest.approx(1e-4) and x.grad is not None and x.grad.isfinite().all()


@pytest.mark.parametrize(
    ("shape", "bottom", "channels"), [((1, 28, 28), 7, [8, 16]), ((3, 64, 64), 4, [8, 16, 32, 64])]
)
def test_coders_halve_square_images_down_to_seven_or_four_pixels(
    shape: tuple[int, ...], bottom: int, channels: list[int]
) -> None:
    spec = SampleSpec(shape)
    assert pyramid(spec, 8) == (bottom, channels)
    x = torch.rand(2, *shape) * 2 - 1
    code = encoder(spec, 5, 8, "batch")(x)
    made = decoder(spec, 5, 8, "layer")(code)
    assert code.shape == (2, 5) and made.shape == x.shape and made.abs().max() <= 1


@pytest.mark.parametrize("shape", [(2,), (1, 30, 30), (1, 28, 32), (1, 256)])
def test_coders_take_any_other_shape_through_linear_layers(shape: tuple[int, ...]) -> None:
    spec = SampleSpec(shape, (0.0, 1.0))
    assert pyramid(spec, 8) is None
    code = encoder(spec, 5, 8, "none")(torch.rand(2, *shape))
    made = decoder(spec, 5, 8, "batch")(code)
    assert code.shape == (2, 5) and made.shape == (2, *shape) and made.min() >= 0 and made.max() <= 1
