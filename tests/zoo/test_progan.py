"""Progressive growing against the paper: which stage when, what networks and data show of it, and the drift."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganbench import Answer, Batch, Recipe, SampleSpec, UsageError
from ganbench_zoo.architectures import progan
from ganbench_zoo.augmentations import growing_data
from ganbench_zoo.layers.growth import Growing, coarsened, growth, stages
from ganbench_zoo.presets import progan as preset
from ganbench_zoo.regularizers import drift

(ARCHITECTURE,), (DATA,) = progan.ganbench_architectures(), growing_data.ganbench_augmentations()
GREY = SampleSpec((1, 28, 28))
SMALL = {"width": 16, "finest": 4, "latent": 12}


def recipe_of(**changes: Any) -> Recipe:
    return Recipe({**ARCHITECTURE.recipe, **SMALL, **changes})


def made(progress: float, spec: SampleSpec = GREY, **changes: Any) -> tuple[Any, Any]:
    torch.manual_seed(0)
    nets = ARCHITECTURE.generator(spec, recipe_of(**changes)), ARCHITECTURE.discriminator(spec, recipe_of(**changes))
    for net in nets:
        net.at_step(progress)
    return nets


@pytest.mark.parametrize(
    ("progress", "expected"),
    [(0.0, (0, 1.0)), (0.12, (0, 1.0)), (0.125, (1, 0.0)), (0.1875, (1, 0.5)), (0.3, (1, 1.0)), (0.4375, (2, 0.5))],
)
def test_stages_fade_in_and_stay_for_equal_shares_of_the_growth(progress: float, expected: tuple[int, float]) -> None:
    assert growth(progress, 3, 0.5) == expected


def test_growth_only_goes_up_and_ends_at_the_full_resolution() -> None:
    places = [growth(p / 1000, 4, 0.7) for p in range(1001)]
    reached = [stage - 1 + blend for stage, blend in places]
    assert reached == sorted(reached) and max(b - a for a, b in pairwise(reached)) < 0.01
    assert all(place == (3, 1.0) for p, place in enumerate(places) if p >= 700)
    assert [stages(size) for size in (28, 32, 64)] == [3, 4, 5]
    assert growth(0.0, 1, 0.5) == (0, 1.0)
    with pytest.raises(UsageError, match="share of the budget"):
        Growing(GREY, 0.0)


def squares(x: np.ndarray, side: int) -> np.ndarray:
    """Each square in its mean colour."""
    y = np.empty_like(x)
    for i in range(0, x.shape[0], side):
        for j in range(0, x.shape[1], side):
            y[i : i + side, j : j + side] = x[i : i + side, j : j + side].mean()
    return y


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("progress", [0.0, 0.2, 0.45, 1.0])
def test_images_of_each_stage_have_the_datas_size_and_the_stages_pixels(size: int, progress: float) -> None:
    spec = SampleSpec((2, size, size))
    G, D = made(progress, spec)
    x = G(torch.randn(3, 12))
    answer: Answer = D(x)
    assert x.shape == (3, *spec.shape) and x.abs().max() <= 1
    assert torch.allclose(x, coarsened(x, G.count - 1 - G.stage), atol=1e-6)
    assert answer.logit.shape == (3,) and answer.features.shape == (3, D.width)


def test_a_stage_fades_in_without_a_jump() -> None:
    """At blend 0 both networks say what the stage before said; at 1 the stage alone."""
    z = torch.randn(4, 12)
    for net_index, given in ((0, z), (1, torch.rand(4, 1, 28, 28))):
        net = made(0.124)[net_index]
        answers = []
        for progress in (0.1249, 0.125, 0.1875, 0.2499, 0.25):
            net.at_step(progress)
            said = net(given)
            answers.append(said if isinstance(said, Tensor) else said.logit)
        before, zero, half, nearly, full = answers
        assert torch.allclose(before, zero, atol=1e-6)
        assert torch.allclose(nearly, full, atol=1e-2)
        assert not torch.allclose(before, half, atol=1e-3) and not torch.allclose(half, full, atol=1e-3)


def test_half_way_images_are_the_mean_of_both_stages() -> None:
    G, _ = made(0.1)
    z = torch.randn(4, 12)
    coarse = G(z)
    G.at_step(0.25)
    fine = G(z)
    G.at_step(0.1875)
    assert torch.allclose(G(z), (coarse + fine) / 2, atol=1e-6)


def test_D_sees_no_more_than_its_stage_does() -> None:
    x = torch.randn(2, 1, 28, 28)
    for progress, times in ((0.0, 2), (0.25, 1)):
        _, D = made(progress)
        assert torch.allclose(D(x).logit, D(coarsened(x, times)).logit, atol=1e-5)
    _, D = made(1.0)
    assert not torch.allclose(D(x).logit, D(coarsened(x, 1)).logit, atol=1e-3)


def test_real_images_grow_with_the_networks() -> None:
    data, x = DATA.build(GREY, recipe_of()), torch.randn(2, 1, 28, 28)
    image = x[1, 0].numpy()
    for progress, expected in (
        (0.0, squares(image, 4)),
        (0.125 + 0.25 * 0.125, 0.75 * squares(image, 4) + 0.25 * squares(image, 2)),
        (0.25, squares(image, 2)),
        (0.4375, 0.5 * squares(image, 2) + 0.5 * image),
        (1.0, image),
    ):
        data.at_step(progress)
        assert np.allclose(data.view(Batch(x=x)).x[1, 0].numpy(), expected, atol=1e-5)
        fake = Batch(x=x, origin="fake")
        assert data.view(fake) is fake


def test_a_blurred_image_is_one_that_D_takes_for_the_same() -> None:
    """While nothing fades, what the data's view takes away D does not see."""
    data, x = DATA.build(GREY, recipe_of()), torch.randn(2, 1, 28, 28)
    for progress in (0.0, 0.26, 0.9):
        _, D = made(progress)
        data.at_step(progress)
        assert torch.allclose(D(x).logit, D(data.view(Batch(x=x)).x).logit, atol=1e-5)


def test_networks_start_at_a_variance_of_about_one() -> None:
    G, D = made(1.0, width=64, finest=64, latent=64)
    before: list[Tensor] = []
    G.output.register_forward_hook(lambda module, inputs, output: before.append(inputs[0]))
    G(torch.randn(64, 64))
    assert 0.5 < before[0].std().item() < 2
    assert 0.3 < D(torch.randn(64, 1, 28, 28)).features.std().item() < 3


@pytest.mark.parametrize("group", [0, 4])
def test_per_sample_is_offered_exactly_where_it_holds(group: int) -> None:
    _, D = made(1.0, stddev_group=group)
    x = torch.randn(4, *GREY.shape)
    offered = "per-sample-D" in ARCHITECTURE.traits(GREY, recipe_of(stddev_group=group))
    assert torch.allclose(D(x).logit[:2], D(x[:2]).logit, atol=1e-5) == offered == (group == 0)


def test_drift_is_the_squared_answer_and_the_preset_the_papers() -> None:
    (component,), (whole,) = drift.ganbench_regularizers(), preset.ganbench_presets()
    values = component.discriminator(lambda batch: batch.x, Batch(x=torch.tensor([2.0, -3.0])))
    assert values.tolist() == [4.0, 9.0]
    assert component.recipe["drift.weight"] == 0.001
    assert (whole.loss, whole.regularizers, whole.recipe["d_steps"]) == ("wgan-gp", ("drift",), 1)
    assert 0.5 ** (16 / whole.recipe["ema_half_life"]) == pytest.approx(0.999, rel=1e-5)
    assert math.isclose(whole.recipe["lr"], 1e-3)
