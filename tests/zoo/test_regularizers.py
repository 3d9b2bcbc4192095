"""Regularizers against the papers' formulas: computed by hand, with NumPy, or by torch in another way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganbench import Answer, Batch, Recipe, Regularizer, SampleSpec
from ganbench_zoo.layers.shifts import shift_and_mirror
from ganbench_zoo.regularizers import (
    bcr,
    consistency,
    dragan,
    feature_matching,
    lecam,
    orthogonal,
    r2,
    top_k,
    zcr,
)

POINTS, IMAGES = SampleSpec((2,), None, "points"), SampleSpec((1, 8, 8))


def component(module: Any) -> Regularizer:
    return next(iter(module.ganbench_regularizers()))


def recipe(module: Any, **changes: Any) -> Recipe:
    """A component's own recipe with some of its keys changed."""
    own = component(module)
    return Recipe({**own.recipe, **{f"{own.name}.{key}": value for key, value in changes.items()}})


def fake(x: Tensor) -> Batch:
    return Batch(x=x, origin="fake")


class View:
    """What a term sees of a network; it keeps what it is asked about."""

    def __init__(self, net: Any) -> None:
        self.net = net
        self.asked: list[Batch] = []

    def __call__(self, batch: Batch) -> Tensor:
        self.asked.append(batch)
        return self.net(batch.x)

    def slope(self, batch: Batch) -> Tensor:
        x = batch.x.detach().requires_grad_()
        return torch.autograd.grad(self(batch.but(x=x)).sum(), x, create_graph=True)[0]

    def make(self, latents: Batch) -> Batch:
        return latents.but(x=self.net(latents.z), origin="fake")


def plane(*weights: float) -> Any:
    """A D that is linear."""
    return lambda x: x @ torch.tensor(weights)


def test_r2_is_half_the_squared_slope_at_generated_samples() -> None:
    net, x = nn.Sequential(nn.Linear(2, 3), nn.Softplus(), nn.Linear(3, 1), nn.Flatten(0)), torch.randn(5, 2)
    values = component(r2).discriminator(View(net), fake(x))
    assert component(r2).recipe["r2.weight"] == 10.0
    for point, value in zip(x, values, strict=True):
        gradient = torch.autograd.functional.jacobian(net, point[None])
        assert value.item() == pytest.approx(0.5 * gradient.square().sum().item(), rel=1e-4)


@pytest.mark.parametrize(("k", "expected"), [(1.0, (5 - 1) ** 2), (2.0, (5 - 2) ** 2)])
def test_dragan_of_a_linear_critic_is_the_squared_distance_of_its_slope_from_k(k: float, expected: float) -> None:
    values = component(dragan).discriminator(View(plane(3.0, -4.0)), Batch(x=torch.randn(4, 2)), recipe(dragan, k=k))
    assert values.tolist() == pytest.approx([expected] * 4)


def test_dragan_looks_around_real_samples_at_the_stated_distance() -> None:
    x, y = 3 * torch.randn(20_000, 2), torch.arange(20_000)
    for uniform, mean, deviation in ((False, 0.0, 0.5), (True, 0.25, 0.5 / 12**0.5)):
        D = View(plane(1.0, 0.0))
        component(dragan).discriminator(D, Batch(x=x, y=y), recipe(dragan, uniform=uniform))
        (near,) = D.asked
        delta = ((near.x - x) / x.std()).detach()
        assert near.origin == "mixed" and torch.equal(near.y, y)
        assert delta.mean().item() == pytest.approx(mean, abs=0.01)
        assert delta.std().item() == pytest.approx(deviation, abs=0.01)
        assert (delta.min() >= 0) == uniform


def test_penalties_require_a_discriminator_that_answers_each_sample_on_its_own() -> None:
    assert component(r2).requires == component(dragan).requires == ("per-sample-D",)


@pytest.mark.parametrize("one_sided", [False, True])
def test_lecam_is_the_distance_from_unbiased_averages(one_sided: bool) -> None:
    keys = recipe(lecam, **{"one-sided": one_sided})
    own, real, generated = component(lecam).build(POINTS, keys), torch.tensor([2.0, -1.0]), torch.tensor([0.5, 1.5])
    rng = np.random.default_rng(0)
    means = rng.normal(size=(12, 2))
    for mean_real, mean_fake in means:
        chunks = [torch.tensor([mean_real - 1, mean_real]), torch.tensor([mean_real + 1, mean_real])]
        own.after("D", {"real": [c.float() for c in chunks], "fake": [torch.tensor([mean_fake]).float()]})
        own.after("G", {"fake": [torch.tensor([100.0])]})
    shares = 0.99 ** np.arange(12)[::-1]
    alpha_real, alpha_fake = (shares[:, None] * means).sum(0) / shares.sum()
    assert (own.real.item(), own.fake.item()) == pytest.approx((alpha_real, alpha_fake), abs=1e-4)
    above, below = real.numpy() - alpha_fake, alpha_real - generated.numpy()
    if one_sided:
        above, below = np.maximum(above, 0), np.maximum(below, 0)
    values = component(lecam).discriminator(View(nn.Identity()), Batch(x=real), fake(generated), keys, own)
    assert values.tolist() == pytest.approx((above**2 + below**2).tolist(), abs=1e-3)


def test_lecam_waits_for_the_first_averages_and_keeps_them_in_buffers() -> None:
    own = component(lecam).build(POINTS, recipe(lecam))
    x = torch.tensor([3.0, 4.0])
    values = component(lecam).discriminator(View(nn.Identity()), Batch(x=x), fake(x), recipe(lecam), own)
    assert values.tolist() == [0.0, 0.0]
    assert set(own.state_dict()) == {"real", "fake", "steps"}


def shifts(image: np.ndarray, pixels: int, mirror: bool) -> set[bytes]:
    """Every image `(C, H, W)` that may come of one."""
    padded = np.pad(image, ((0, 0), (pixels, pixels), (pixels, pixels)), mode="reflect")
    height, width = image.shape[1:]
    found = set()
    for down in range(2 * pixels + 1):
        for right in range(2 * pixels + 1):
            moved = np.ascontiguousarray(padded[:, down : down + height, right : right + width])
            found |= {moved.tobytes()} | ({moved[:, :, ::-1].tobytes()} if mirror else set())
    return found


@pytest.mark.parametrize("mirror", [True, False])
def test_images_are_moved_and_mirrored_in_every_way_there_is(mirror: bool) -> None:
    image = torch.randn(2, 5, 6)
    moved = shift_and_mirror(image.expand(2000, -1, -1, -1), 2, mirror)
    assert {m.numpy().tobytes() for m in moved} == shifts(image.numpy(), 2, mirror)
    assert torch.equal(shift_and_mirror(image[None], 0, False)[0], image)


def test_each_image_is_moved_in_its_own_way_and_all_ways_are_equally_likely() -> None:
    ramp = torch.arange(9.0).expand(6000, 1, 9, 9)  # the middle column tells the move across
    found = shift_and_mirror(ramp, 1, False)[:, 0, 4, 4]
    assert torch.bincount(found.long(), minlength=9).tolist()[3:6] == pytest.approx([2000] * 3, abs=150)


def corner(x: Tensor) -> Tensor:
    """A D that looks at one pixel."""
    return x[:, 0, 0, 0]


def test_consistency_is_the_squared_change_of_the_logit() -> None:
    x, D = torch.randn(16, 1, 8, 8), View(corner)
    torch.manual_seed(7)
    values = component(consistency).discriminator(D, Batch(x=x), recipe(consistency))
    torch.manual_seed(7)
    assert torch.equal(values, (corner(x) - corner(shift_and_mirror(x, 4, True))).square())
    assert sorted(b.origin for b in D.asked) == ["real", "view"]
    assert component(consistency).recipe["consistency.weight"] == 10.0


def test_balanced_consistency_weighs_both_sides() -> None:
    x, flat, D = torch.randn(16, 1, 8, 8), torch.ones(16, 1, 8, 8), View(corner)
    of_real = component(bcr).discriminator(D, Batch(x=x), fake(flat), recipe(bcr, real=3.0))
    assert of_real.max() > 0  # and what moves nowhere costs nothing
    assert sorted(b.origin for b in D.asked) == ["fake", "real", "view", "view"]
    torch.manual_seed(7)
    of_fake = component(bcr).discriminator(D, Batch(x=flat), fake(x), recipe(bcr, fake=2.0, mirror=False, pixels=1))
    torch.manual_seed(7)
    shift_and_mirror(flat, 1, False)
    assert torch.allclose(of_fake, 2 * (corner(x) - corner(shift_and_mirror(x, 1, False))).square())
    assert (component(bcr).recipe["bcr.real"], component(bcr).recipe["bcr.fake"]) == (10.0, 10.0)


@pytest.mark.parametrize("module", [consistency, bcr])
def test_consistency_fits_images_that_are_larger_than_its_shift(module: Any) -> None:
    own = component(module)
    assert own.fits(IMAGES, own.recipe, ()) is None
    assert own.fits(POINTS, own.recipe, ()) == "moves images, not points"
    reason = own.fits(IMAGES, recipe(module, pixels=8), ())
    assert reason == f"{own.name}.pixels=8 is no shift of images of 8 pixels"


def test_latent_consistency_draws_D_together_and_G_apart() -> None:
    """Of linear networks: E[(w·Aε)²] = σ² ‖wA‖² and E[‖Aε‖²] / n = σ² ‖A‖²_F / n."""
    a, w = torch.randn(3, 4), torch.tensor([1.0, -2.0, 0.5])
    G, D, latents = View(lambda z: z @ a.T), View(lambda x: x @ w), Batch(z=torch.randn(100_000, 4), origin="latent")
    made, own = G.make(latents), component(zcr)
    of_D = own.discriminator(D, G, made, latents, recipe(zcr, sigma=0.1, discriminator=2.0)).mean().item()
    of_G = own.generator(G, made, latents, recipe(zcr, sigma=0.1, generator=3.0)).mean().item()
    assert of_D == pytest.approx(2 * 0.01 * (w @ a).square().sum().item(), rel=0.02)
    assert of_G == pytest.approx(-3 * 0.01 * a.square().mean().item() * 4, rel=0.02)
    assert [b.origin for b in D.asked] == ["fake", "view"]


def overlap(w: np.ndarray) -> float:
    """The sum over pairs, one by one."""
    return sum(float(w[i] @ w[j]) ** 2 for i in range(len(w)) for j in range(len(w)) if i != j)


@pytest.mark.parametrize("shape", [(3, 5), (6, 2), (4, 4)])
def test_orthogonal_regularization_of_a_matrix(shape: tuple[int, int]) -> None:
    layer = nn.Linear(shape[1], shape[0])
    assert orthogonal.generator(View(layer)).item() == pytest.approx(overlap(layer.weight.detach().numpy()), rel=1e-4)


def test_orthogonal_regularization_counts_filters_by_output() -> None:
    """Of a transposed convolution the outputs are the second axis, or in groups of channels the first two."""
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.ConvTranspose2d(3, 4, 2), nn.ConvTranspose1d(4, 6, 3, groups=2))
    w1, w2, w3 = (layer.weight.detach().numpy() for layer in net)
    third = np.concatenate([w3[:2].transpose(1, 0, 2), w3[2:].transpose(1, 0, 2)]).reshape(6, -1)
    expected = overlap(w1.reshape(3, -1)) + overlap(w2.transpose(1, 0, 2, 3).reshape(4, -1)) + overlap(third)
    assert orthogonal.generator(View(net)).item() == pytest.approx(expected, rel=1e-4)
    assert component(orthogonal).recipe["orthogonal.weight"] == 1e-4


def test_orthogonal_filters_of_any_norm_cost_nothing_and_others_are_turned_apart() -> None:
    layer = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, 4.0, 0.0], [0.0, 0.0, 0.1]]))
    assert orthogonal.generator(View(layer)).item() == pytest.approx(0.0, abs=1e-9)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))
    orthogonal.generator(View(layer)).backward()  # of 2 (w₁·w₂)², by w₁: 4 (w₁·w₂) w₂
    assert layer.weight.grad.tolist() == [[4.0, 4.0, 0.0], [4.0, 0.0, 0.0]]


def test_orthogonal_regularization_looks_at_weights_before_spectral_norm() -> None:
    layer = nn.Linear(5, 3)
    before = orthogonal.generator(View(layer)).item()
    with torch.no_grad():
        layer.weight.mul_(3.0)
    assert orthogonal.generator(View(spectral_norm(layer))).item() == pytest.approx(81 * before, rel=1e-4)


def test_feature_matching_is_the_squared_distance_of_mean_features() -> None:
    class Features:
        def answer(self, batch: Batch) -> Answer:
            return Answer(features=batch.x)

    x, g = torch.randn(6, 4), torch.randn(6, 4, requires_grad=True)
    value = component(feature_matching).generator(Features(), Batch(x=x), fake(g))
    difference = x.numpy().mean(0) - g.detach().numpy().mean(0)
    assert value.item() == pytest.approx(float(difference @ difference), rel=1e-5)
    value.backward()
    assert torch.allclose(g.grad, torch.tensor(-2 * difference / 6).expand(6, 4), atol=1e-6)
    assert component(feature_matching).requires == ("features",) and component(feature_matching).couples_samples


@pytest.mark.parametrize(("progress", "kept"), [(0.0, 8), (0.25, 6), (0.5, 4), (1.0, 4)])
def test_only_the_k_best_samples_count_in_Gs_step(progress: float, kept: int) -> None:
    """½^½ · 8 = 5.66: six of eight halfway there."""
    logits = torch.tensor([0.3, -2.0, 5.0, 1.0, -1.0, 0.0, 2.0, -3.0])
    module, values = component(top_k).build(POINTS, recipe(top_k)), torch.arange(1.0, 9.0, requires_grad=True)
    weighed = module.weigh("G", values, View(nn.Identity()), fake(logits), torch.tensor(progress))
    best = logits.topk(kept).indices
    assert weighed.mean().item() == pytest.approx(values[best].mean().item(), rel=1e-6)
    weighed.mean().backward()
    assert set(values.grad.nonzero()[:, 0].tolist()) == set(best.tolist())


def test_top_k_keeps_Ds_step_and_scalars() -> None:
    module, values = component(top_k).build(POINTS, recipe(top_k)), torch.tensor([1.0, 2.0])
    known = (View(nn.Identity()), fake(values), torch.tensor(1.0))
    assert module.weigh("D", values, *known) is values
    assert module.weigh("G", values.sum(), *known).item() == 3.0
    assert component(top_k).couples_samples


def test_top_k_takes_shares_only() -> None:
    own = component(top_k)
    assert own.fits(POINTS, own.recipe, ()) is None
    assert "top-k.nu=0.0 is no share of a batch" in own.fits(POINTS, recipe(top_k, nu=0.0), ())
    assert "top-k.until=2.0 is no share of the budget" in own.fits(POINTS, recipe(top_k, until=2.0), ())
