"""StyleGAN2 against the paper: sizes, styles, truncation, labels, and the two penalties it brought."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganbench import Answer, Batch, Recipe, SampleSpec, UsageError
from ganbench_zoo.architectures import stylegan2
from ganbench_zoo.presets import stylegan2 as preset
from ganbench_zoo.presets import stylegan2_ada
from ganbench_zoo.regularizers import path_length, r1, r1_coupled

PLAIN, CONDITIONAL = stylegan2.ganbench_architectures()
GREY = SampleSpec((1, 28, 28))
SMALL = {"width": 8, "finest": 4, "latent": 12, "mapping_depth": 2}


def recipe_of(**changes: Any) -> Recipe:
    return Recipe({**PLAIN.recipe, **SMALL, **changes})


def made(spec: SampleSpec = GREY, **changes: Any) -> tuple[Any, Any]:
    torch.manual_seed(0)
    architecture, recipe = (CONDITIONAL if spec.classes else PLAIN), recipe_of(**changes)
    return architecture.generator(spec, recipe), architecture.discriminator(spec, recipe)


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_images_in_range_and_one_answer_each(size: int, channels: int) -> None:
    spec = SampleSpec((channels, size, size))
    assert PLAIN.accepts.refuses(spec) is None
    G, D = made(spec)
    x = G(torch.randn(4, 12))
    answer: Answer = D(x)
    assert x.shape == (4, *spec.shape) and x.abs().max() <= 1
    assert answer.logit.shape == (4,) and answer.features.shape == (4, D.width)


def test_networks_of_32_pixels_have_the_published_layers() -> None:
    """Counted from the paper: 512 channels everywhere, a style of 512 numbers for each convolution."""
    G, D = (make(SampleSpec((3, 32, 32)), PLAIN.recipe) for make in (PLAIN.generator, PLAIN.discriminator))
    style = 512 * 512 + 512
    layer, image = style + 512 * 512 * 9 + 512 + 1, style + 512 * 3 + 3
    assert parameters(G) == 8 * style + 512 * 16 + 7 * layer + 4 * image
    block = 2 * (512 * 512 * 9 + 512) + 512 * 512
    last = 513 * 512 * 9 + 512 + 512 * 16 * 512 + 512 + 512 + 1
    assert parameters(D) == (3 * 512 + 512) + 3 * block + last


def test_channels_double_from_the_finest_to_the_most() -> None:
    assert stylegan2.channels(64, recipe_of(width=24, finest=4)) == {4: 24, 8: 24, 16: 16, 32: 8, 64: 4}
    assert stylegan2.channels(28, recipe_of(width=24, finest=4)) == {7: 16, 14: 8, 28: 4}


def test_images_and_answers_start_at_a_variance_of_about_one() -> None:
    G, D = made(width=64, finest=64, latent=64, stddev_group=0)
    before: list[Tensor] = []
    G.output.register_forward_hook(lambda module, inputs, output: before.append(inputs[0]))
    G(torch.randn(64, 64))
    assert 0.3 < before[0].std().item() < 3
    assert 0.3 < D(torch.randn(64, 1, 28, 28)).features.std().item() < 3


def test_some_images_of_a_training_have_a_second_style_from_a_layer_on() -> None:
    G, _ = made(mixing=0.5)
    z = torch.randn(512, 12)
    own, styles = G.mapping(z, None), G.styles(z)
    count = len(G.layers) + 1
    assert styles.shape == (512, count, 12)
    same = torch.isclose(styles, own.unsqueeze(1), atol=1e-6).all(2)
    starts = same.sum(1)
    for i in range(512):
        assert same[i].tolist() == [True] * int(starts[i]) + [False] * (count - int(starts[i]))
        if starts[i] < count:
            assert torch.allclose(styles[i, -1], own[i - 1], atol=1e-6)
    assert (starts < count).float().mean().item() == pytest.approx(0.5, abs=0.07)
    assert set(starts.tolist()) == set(range(1, count + 1))
    G.eval()
    assert torch.allclose(G.styles(z), own.unsqueeze(1).expand(-1, count, -1))


@pytest.mark.parametrize("psi", [1.0, 0.5, 0.0])
def test_truncation_moves_styles_towards_their_mean_when_samples_are_drawn(psi: float) -> None:
    G, _ = made(truncation=psi)
    z, seen = torch.randn(16, 12), torch.zeros(12)
    for _ in range(3):
        G.styles(z)
        seen = seen + 0.005 * (G.mapping(z, None).mean(0) - seen)
    assert torch.allclose(G.mean, seen, atol=1e-6)
    G.eval()
    expected = seen + psi * (G.mapping(z, None) - seen)
    assert torch.allclose(G.styles(z)[:, 0], expected, atol=1e-5)
    assert torch.allclose(G.mean, seen, atol=1e-6)


@pytest.mark.parametrize("group", [0, 4])
def test_per_sample_is_offered_exactly_where_it_holds(group: int) -> None:
    _, D = made(stddev_group=group)
    x = torch.randn(4, *GREY.shape)
    offered = "per-sample-D" in PLAIN.traits(GREY, recipe_of(stddev_group=group))
    assert torch.allclose(D(x).logit[:2], D(x[:2]).logit, atol=1e-5) == offered == (group == 0)


def test_every_parameter_gets_a_gradient_with_labels_and_without_shortcuts() -> None:
    for changes in ({}, {"residual": False}):
        G, D = made(GREY.but(classes=3), **changes)
        y = torch.tensor([0, 1, 2, 2])
        D(G(torch.randn(4, 12), y), y).logit.square().sum().backward()
        unused = [n for net in (G, D) for n, p in net.named_parameters() if p.grad is None or not p.grad.any()]
        assert unused == []


def test_a_label_has_styles_and_answers_of_its_own() -> None:
    """D's answer is the product of its last layer with a vector of the label."""
    G, D = made(GREY.but(classes=3), mixing=0.0)
    G.eval()
    z, x, y = torch.randn(1, 12).expand(3, -1), torch.randn(1, 1, 28, 28).expand(3, -1, -1, -1), torch.arange(3)
    images = G(z, y)
    assert not torch.allclose(images[0], images[1]) and not torch.allclose(images[1], images[2])
    answer = D(x, y)
    said = D.output(answer.features)
    for label in range(3):
        vector = D.label(None, y[label : label + 1])[0]
        assert answer.logit[label].item() == pytest.approx(torch.dot(said[0], vector).item() / math.sqrt(12), abs=1e-5)
    assert {"labels", "styles", "features"} <= CONDITIONAL.traits(GREY, recipe_of())


class Linear(nn.Module):
    """Images `A w`, summed over two layers of styles."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(4 * 4, 3))

    def styles(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        assert y is None
        return torch.stack([z, z], dim=1)

    def synthesis(self, styles: Tensor) -> Tensor:
        return (styles[:, 0] @ self.matrix.T + 2 * styles[:, 1] @ self.matrix.T).unflatten(1, (1, 4, 4))


def penalty_of(**changes: Any) -> tuple[Any, Any]:
    (component,) = path_length.ganbench_regularizers()
    recipe = Recipe({**component.recipe, **{f"path-length.{k}": v for k, v in changes.items()}})
    return component, component.build(GREY, recipe)


def test_a_length_is_the_norm_of_the_transposed_jacobian_times_noise() -> None:
    torch.manual_seed(0)
    net, z = Linear(), torch.randn(5, 3)
    torch.manual_seed(1)
    found = path_length.lengths(net, z)
    torch.manual_seed(1)
    noise = torch.randn(5, 1, 4, 4).flatten(1) / 4
    slopes = noise @ net.matrix
    assert torch.allclose(found, ((slopes.square().sum(1) + (2 * slopes).square().sum(1)) / 2).sqrt(), rtol=1e-5)


def test_the_average_length_is_remembered_once_a_step_and_what_the_penalty_aims_at() -> None:
    component, own = penalty_of(decay=0.75, share=1.0)
    torch.manual_seed(0)
    view, latents, average = SimpleNamespace(net=Linear()), Batch(z=torch.randn(6, 3)), 0.0
    for step in range(3):
        torch.manual_seed(step)
        value = component.generator(view, latents, GREY, own)
        torch.manual_seed(step)
        found = path_length.lengths(view.net, latents.z)
        average += 0.25 * (found.mean().item() - average)
        assert value.item() == pytest.approx((found - average).square().mean().item(), rel=1e-4)
        own.after("D")
        own.after("G")
        assert own.mean.item() == pytest.approx(average, rel=1e-5)
        own.after("G")
        assert own.mean.item() == pytest.approx(average, rel=1e-5)


def test_descending_the_penalty_evens_out_how_far_directions_move_the_image() -> None:
    """One direction of styles moves it ten times as far as another at first."""
    component, own = penalty_of(share=1.0, decay=0.9)
    torch.manual_seed(0)
    net = Linear()
    with torch.no_grad():
        net.matrix.mul_(torch.tensor([10.0, 1.0, 1.0]))
    view, optimizer = SimpleNamespace(net=net), torch.optim.Adam(net.parameters(), lr=0.05)
    before = torch.linalg.cond(net.matrix).item()
    for _ in range(300):
        optimizer.zero_grad()
        component.generator(view, Batch(z=torch.randn(32, 3)), GREY, own).backward()
        optimizer.step()
        with torch.no_grad():
            own.after("G")
    assert torch.linalg.cond(net.matrix) < 0.3 * before


def test_half_of_a_batch_is_measured_by_default() -> None:
    component, own = penalty_of()
    component.generator(SimpleNamespace(net=Linear()), Batch(z=torch.randn(8, 3), y=torch.zeros(8)), GREY, own)
    assert own.new[1] == 4
    assert component.every == 4
    with pytest.raises(UsageError, match=r"path-length\.share=0"):
        penalty_of(share=0)


def test_a_coupled_penalty_is_half_the_squared_gradient_of_all_answers() -> None:
    (component,), (alone,) = r1_coupled.ganbench_regularizers(), r1.ganbench_regularizers()
    _, D = made()
    x = torch.randn(4, *GREY.shape)

    def slope(batch: Batch) -> Tensor:
        point = batch.x.detach().requires_grad_()
        return torch.autograd.grad(D(point).logit.sum(), point, create_graph=True)[0]

    view = SimpleNamespace(slope=slope)
    jacobian = torch.autograd.functional.jacobian(lambda x: D(x).logit, x)
    expected = jacobian.sum(0).flatten(1).square().sum(1) / 2
    assert torch.allclose(component.discriminator(view, Batch(x=x)), expected, rtol=1e-3)
    assert (component.every, component.couples_samples, component.requires) == (16, True, ())
    assert alone.requires == ("per-sample-D",)


def test_the_presets_are_the_papers() -> None:
    (published,), (ada,) = preset.ganbench_presets(), stylegan2_ada.ganbench_presets()
    assert published.regularizers == ("r1-coupled", "path-length")
    assert (PLAIN.recipe["lr"], PLAIN.recipe["betas"], PLAIN.recipe["ema_half_life"]) == (2e-3, (0.0, 0.99), 10_000.0)
    assert ada.augmentations == ("ada",) and ada.recipe["r1-coupled.weight"] == 0.01
    assert set(ada.recipe) <= {*PLAIN.recipe, "r1-coupled.weight"}
