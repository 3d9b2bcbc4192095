"""Losses, penalties and presets against the papers' formulas, on numbers that can be worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganbench import Batch, Loss, Recipe, Regularizer, SampleSpec
from ganbench_zoo.losses import (
    hinge,
    lsgan,
    minimax,
    non_saturating,
    relativistic,
    relativistic_average,
    relativistic_average_hinge,
    wgan,
    wgan_gp,
)
from ganbench_zoo.presets import dcgan as dcgan_preset
from ganbench_zoo.presets import sngan as sngan_preset
from ganbench_zoo.presets import wgan_gp as wgan_gp_preset
from ganbench_zoo.regularizers import gradient_penalty, r1, weight_clipping

REAL, FAKE = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, 0.0, 1.5])
MODULES = (hinge, lsgan, minimax, non_saturating, wgan, wgan_gp)
LOSSES: dict[str, Loss] = {loss.name: loss for module in MODULES for loss in module.ganbench_losses()}
RELATIVE: dict[str, Loss] = {
    loss.name: loss
    for module in (relativistic, relativistic_average, relativistic_average_hinge)
    for loss in module.ganbench_losses()
}


def component(module: Any) -> Regularizer:
    return next(iter(module.ganbench_regularizers()))


def D(batch: Batch) -> Tensor:
    """A discriminator whose logit is the sample itself."""
    return batch.x


class View:
    """What a term sees of a network whose output is a logit."""

    def __init__(self, net: nn.Module) -> None:
        self.net = net

    def __call__(self, batch: Batch) -> Tensor:
        return self.net(batch.x).squeeze(1)

    def slope(self, batch: Batch) -> Tensor:
        x = batch.x.detach().requires_grad_()
        return torch.autograd.grad(self(batch.but(x=x)).sum(), x, create_graph=True)[0]


def linear(*weights: float) -> nn.Linear:
    net = nn.Linear(len(weights), 1)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([weights]))
    return net


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


FORMULAS = {
    "minimax": (lambda r, f: -math.log(sigmoid(r)) - math.log(1 - sigmoid(f)), lambda f: math.log(1 - sigmoid(f))),
    "non-saturating": (lambda r, f: -math.log(sigmoid(r)) - math.log(1 - sigmoid(f)), lambda f: -math.log(sigmoid(f))),
    "lsgan": (lambda r, f: 0.5 * (r - 1) ** 2 + 0.5 * f**2, lambda f: 0.5 * (f - 1) ** 2),
    "hinge": (lambda r, f: max(0.0, 1 - r) + max(0.0, 1 + f), lambda f: -f),
    "wgan": (lambda r, f: f - r, lambda f: -f),
    "wgan-gp": (lambda r, f: f - r, lambda f: -f),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_the_papers_formula(name: str) -> None:
    loss, real, fake = LOSSES[name], Batch(x=REAL), Batch(x=FAKE, origin="fake")
    recipe = {"recipe": loss.recipe} if name == "lsgan" else {}
    of_D, of_G = FORMULAS[name]
    expected_D = [of_D(r, f) for r, f in zip(REAL.tolist(), FAKE.tolist(), strict=True)]
    assert loss.discriminator(D, real, fake, **recipe).tolist() == pytest.approx(expected_D, abs=1e-6)
    assert loss.generator(D, fake, **recipe).tolist() == pytest.approx([of_G(f) for f in FAKE.tolist()], abs=1e-6)


RELATIVE_FORMULAS = {  # of D, per real r and generated f; G's is D's with the sides exchanged
    "relativistic": lambda r, f: -np.log(1 / (1 + np.exp(f - r))),
    "relativistic-average": lambda r, f: (
        -np.log(1 / (1 + np.exp(f.mean() - r))) - np.log(1 - 1 / (1 + np.exp(r.mean() - f)))
    ),
    "relativistic-average-hinge": lambda r, f: np.maximum(0, 1 - (r - f.mean())) + np.maximum(0, 1 + (f - r.mean())),
}


@pytest.mark.parametrize("name", RELATIVE)
def test_a_relativistic_loss_is_the_papers_formula(name: str) -> None:
    loss, formula, r, f = RELATIVE[name], RELATIVE_FORMULAS[name], REAL.double().numpy(), FAKE.double().numpy()
    real, fake = Batch(x=REAL), Batch(x=FAKE, origin="fake")
    assert loss.discriminator(D, real, fake).tolist() == pytest.approx(formula(r, f).tolist(), abs=1e-6)
    assert loss.generator(D, real, fake).tolist() == pytest.approx(formula(f, r).tolist(), abs=1e-6)


@pytest.mark.parametrize("name", RELATIVE)
def test_a_relativistic_loss_knows_differences_only(name: str) -> None:
    """What is added to every logit changes nothing, and G lowers its loss by real samples that look less real, too."""
    loss, real = RELATIVE[name], Batch(x=REAL.clone().requires_grad_())
    fake, further = Batch(x=FAKE, origin="fake"), Batch(x=FAKE + 5, origin="fake")
    of_G = loss.generator(D, real, fake)
    assert torch.allclose(loss.generator(D, Batch(x=REAL + 5), further), of_G, atol=1e-5)
    of_G.mean().backward()
    assert (real.x.grad >= 0).all() and real.x.grad.max() > 0


@pytest.mark.parametrize("name", RELATIVE)
def test_which_relativistic_losses_couple_the_samples_of_a_batch(name: str) -> None:
    """A value that another sample changes is what gradient accumulation cannot keep."""
    loss, real = RELATIVE[name], Batch(x=REAL)
    other = FAKE + torch.tensor([3.0, 0.0, 0.0])
    last = [loss.discriminator(D, real, Batch(x=x, origin="fake"))[2].item() for x in (FAKE, other)]
    assert (last[0] != last[1]) == loss.couples_samples


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
def test_a_sure_discriminator_gives_finite_losses(name: str) -> None:
    sure, loss = Batch(x=torch.tensor([1000.0, -1000.0])), LOSSES[name]
    assert torch.isfinite(loss.discriminator(D, sure, sure)).all()
    assert torch.isfinite(loss.generator(D, sure)).all()


def test_a_sure_discriminator_gives_finite_relativistic_losses() -> None:
    sure, wrong = Batch(x=torch.tensor([1000.0, -1000.0])), Batch(x=torch.tensor([-1000.0, 1000.0]))
    for loss in RELATIVE.values():
        assert torch.isfinite(loss.discriminator(D, sure, wrong)).all()
        assert torch.isfinite(loss.generator(D, sure, wrong)).all()


def test_least_squares_with_the_papers_other_labels() -> None:
    recipe = Recipe({"lsgan.a": -1.0, "lsgan.b": 1.0, "lsgan.c": 0.0})
    assert LOSSES["lsgan"].discriminator(D, Batch(x=REAL), Batch(x=FAKE), recipe)[0] == 0.5 * 1 + 0.5 * 4
    assert LOSSES["lsgan"].generator(D, Batch(x=FAKE), recipe)[0] == 0.5 * 9


def test_what_the_wasserstein_losses_bring_and_wish_for() -> None:
    assert LOSSES["wgan"].brings == (component(weight_clipping).name,)
    assert dict(LOSSES["wgan"].recipe) == {"optimizer": "rmsprop", "lr": 5e-5, "d_steps": 5}
    assert LOSSES["wgan-gp"].brings == (component(gradient_penalty).name,)
    assert LOSSES["wgan-gp"].recipe["norm_D"] == "layer"


@pytest.mark.parametrize(("one_sided", "expected"), [(False, (5 - 1) ** 2), (True, (5 - 1) ** 2)])
def test_gradient_penalty_of_a_steep_linear_critic(one_sided: bool, expected: float) -> None:
    recipe = Recipe({**component(gradient_penalty).recipe, "gradient-penalty.one-sided": one_sided})
    real, fake = Batch(x=torch.randn(4, 2)), Batch(x=torch.randn(4, 2), origin="fake")
    values = component(gradient_penalty).discriminator(View(linear(3.0, -4.0)), real, fake, recipe)
    assert values.tolist() == pytest.approx([expected] * 4)


@pytest.mark.parametrize(("one_sided", "expected"), [(False, 0.25), (True, 0.0)])
def test_gradient_penalty_of_a_shallow_linear_critic(one_sided: bool, expected: float) -> None:
    recipe = Recipe({**component(gradient_penalty).recipe, "gradient-penalty.one-sided": one_sided})
    real, fake = Batch(x=torch.randn(4, 2)), Batch(x=torch.randn(4, 2), origin="fake")
    values = component(gradient_penalty).discriminator(View(linear(0.3, -0.4)), real, fake, recipe)
    assert values.tolist() == pytest.approx([expected] * 4)


def test_gradient_penalty_trains_the_critic_towards_slope_one() -> None:
    """The derivative of (‖w‖ - 1)² is 2 (‖w‖ - 1) w / ‖w‖."""
    net = linear(3.0, -4.0)
    real, fake = Batch(x=torch.randn(4, 2)), Batch(x=torch.randn(4, 2), origin="fake")
    penalty = component(gradient_penalty)
    penalty.discriminator(View(net), real, fake, penalty.recipe).mean().backward()
    assert net.weight.grad[0].tolist() == pytest.approx([2 * 4 * 0.6, 2 * 4 * -0.8])


def test_gradient_penalty_of_a_flat_critic_has_a_finite_gradient() -> None:
    net = linear(0.0, 0.0)
    real, fake = Batch(x=torch.randn(4, 2)), Batch(x=torch.randn(4, 2), origin="fake")
    penalty = component(gradient_penalty)
    penalty.discriminator(View(net), real, fake, penalty.recipe).mean().backward()
    assert torch.isfinite(net.weight.grad).all()


def test_gradient_penalty_looks_between_real_and_generated_samples() -> None:
    seen: list[Batch] = []

    class Watching(View):
        def slope(self, batch: Batch) -> Tensor:
            seen.append(batch)
            return torch.ones_like(batch.x)

    penalty, y = component(gradient_penalty), torch.arange(64)
    real, fake = Batch(x=torch.ones(64, 1, 2, 2), y=y), Batch(x=torch.zeros(64, 1, 2, 2), origin="fake")
    penalty.discriminator(Watching(nn.Identity()), real, fake, penalty.recipe)
    mixed = seen[0].x.flatten(1)
    assert seen[0].origin == "mixed"
    assert torch.equal(seen[0].y, y)
    assert torch.equal(mixed.amin(1), mixed.amax(1))
    assert 0 <= mixed.min() < 0.2 < 0.8 < mixed.max() <= 1


def test_r1_is_half_the_squared_slope_at_real_samples() -> None:
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Softplus(), nn.Linear(2, 1))
    real = Batch(x=torch.randn(5, 2))
    values = component(r1).discriminator(View(net), real)
    assert component(r1).recipe["r1.weight"] == 10.0
    for x, value in zip(real.x, values, strict=True):
        gradient = torch.autograd.functional.jacobian(net, x)[0]
        assert value.item() == pytest.approx(0.5 * gradient.square().sum().item(), rel=1e-4)


def test_penalties_require_a_discriminator_that_answers_each_sample_on_its_own() -> None:
    assert component(r1).requires == component(gradient_penalty).requires == ("per-sample-D",)


def test_weights_are_clipped_after_a_turn_of_D_only() -> None:
    clipping = component(weight_clipping)
    module = clipping.build(SampleSpec((2,), None, "points"), clipping.recipe)
    nets = {"D": linear(3.0, -0.005), "G": linear(3.0, -4.0)}
    module.after("G", nets)
    assert nets["D"].weight[0].tolist() == pytest.approx([3.0, -0.005])
    module.after("D", nets)
    assert nets["D"].weight[0].tolist() == pytest.approx([0.01, -0.005])
    assert nets["D"].bias.abs().max() <= 0.01
    assert nets["G"].weight[0].tolist() == [3.0, -4.0]


def test_presets_are_the_papers() -> None:
    presets = {p.name: p for m in (dcgan_preset, sngan_preset, wgan_gp_preset) for p in m.ganbench_presets()}
    assert (presets["dcgan"].architecture, presets["dcgan"].loss) == ("dcgan", "non-saturating")
    assert (presets["sngan"].architecture, presets["sngan"].loss) == ("resnet", "hinge")
    assert presets["sngan"].recipe["d_steps"] == presets["wgan-gp"].recipe["d_steps"] == 5
    assert (presets["wgan-gp"].architecture, presets["wgan-gp"].loss) == ("resnet", "wgan-gp")
    assert presets["wgan-gp"].recipe["spectral-norm.on"] is False
