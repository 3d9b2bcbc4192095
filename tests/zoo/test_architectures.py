"""The zoo's architectures: shapes, ranges, traits, published sizes, and that every parameter is used."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ganbench import Answer, Architecture, Recipe, SampleSpec, UsageError
from ganbench_zoo.architectures import dcgan, mlp, resnet
from ganbench_zoo.regularizers import spectral_norm

ARCHITECTURES = {a.name: a for module in (mlp, dcgan, resnet) for a in module.ganbench_architectures()}
IMAGES = [SampleSpec((channels, size, size)) for size in (28, 32) for channels in (1, 3)]
RING = SampleSpec((2,), None, "points")


def recipe_of(architecture: Architecture, **changes: Any) -> Recipe:
    return Recipe({"latent": 10, **architecture.recipe, "width": 8, **changes})


def play(
    architecture: Architecture, spec: SampleSpec, recipe: Recipe
) -> tuple[nn.Module, nn.Module, torch.Tensor, Answer]:
    """Both networks, four samples, and what D says about them."""
    torch.manual_seed(0)
    G, D = architecture.generator(spec, recipe), architecture.discriminator(spec, recipe)
    labels = (torch.tensor([0, 1, 2, 2]),) if "labels" in architecture.traits(spec, recipe) else ()
    x = G(torch.randn(4, recipe["latent"]), *labels)
    return G, D, x, D(x, *labels)


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("spec", IMAGES, ids=str)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_images_in_range_and_one_answer_each(name: str, spec: SampleSpec) -> None:
    architecture = ARCHITECTURES[name]
    spec = spec.but(classes=3 if name == "cdcgan" else 0)
    assert architecture.accepts.refuses(spec) is None
    _, D, x, answer = play(architecture, spec, recipe_of(architecture))
    assert x.shape == (4, *spec.shape)
    assert x.abs().max() <= 1
    assert answer.logit.shape == (4,)
    assert answer.features.shape == (4, D.width)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    architecture = ARCHITECTURES[name]
    G, D, _, answer = play(architecture, SampleSpec((1, 28, 28), classes=3), recipe_of(architecture))
    answer.logit.square().sum().backward()
    unused = [n for net in (G, D) for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert unused == []


@pytest.mark.parametrize("norm", ["batch", "layer", "instance", "none"])
@pytest.mark.parametrize("name", ["dcgan", "cdcgan", "resnet"])
def test_per_sample_is_offered_exactly_where_it_holds(name: str, norm: str) -> None:
    architecture, spec = ARCHITECTURES[name], SampleSpec((1, 28, 28), classes=3)
    recipe = recipe_of(architecture, norm_D=norm)
    torch.manual_seed(0)
    D = architecture.discriminator(spec, recipe)
    x, y = torch.randn(4, *spec.shape), torch.tensor([0, 1, 2, 2])
    labels = "labels" in architecture.traits(spec, recipe)
    together, alone = (D(x[:n], y[:n]).logit if labels else D(x[:n]).logit for n in (4, 2))
    offered = "per-sample-D" in architecture.traits(spec, recipe)
    assert torch.allclose(together[:2], alone, atol=1e-5) == offered


@pytest.mark.parametrize(("norm", "offered"), [("batch", False), ("layer", True), ("none", True)])
def test_mlp_takes_points(norm: str, offered: bool) -> None:
    architecture = ARCHITECTURES["mlp"]
    recipe = recipe_of(architecture, norm_D=norm)
    G, _, x, answer = play(architecture, RING, recipe)
    assert x.shape == (4, 2)
    assert answer.logit.shape == (4,)
    assert not any(isinstance(m, nn.Tanh) for m in G.modules())
    assert ("per-sample-D" in architecture.traits(RING, recipe)) == offered


def test_mlp_depth_counts_hidden_layers() -> None:
    D = mlp.Discriminator(RING, recipe_of(ARCHITECTURES["mlp"], depth=2, width=16))
    assert parameters(D) == (2 * 16 + 16) + (16 * 16 + 16) + (16 + 1)


def test_a_range_other_than_one_is_kept() -> None:
    architecture = ARCHITECTURES["mlp"]
    _, _, x, _ = play(architecture, SampleSpec((1, 28, 28), (0.0, 1.0)), recipe_of(architecture))
    assert 0 <= x.min() < x.max() <= 1


def test_dcgan_of_64_pixels_has_the_published_size() -> None:
    """PyTorch's DCGAN example counts 3 576 704 and 2 765 568 without biases; here the layers at the ends have one."""
    recipe = Recipe(ARCHITECTURES["dcgan"].recipe)
    spec = SampleSpec((3, 64, 64))
    assert parameters(dcgan.Generator(spec, recipe)) == 3_576_704 + 3
    assert parameters(dcgan.Discriminator(spec, recipe)) == 2_765_568 + 64 + 1


def test_dcgan_starts_from_the_published_distribution() -> None:
    torch.manual_seed(0)
    D = dcgan.Discriminator(SampleSpec((3, 32, 32)), ARCHITECTURES["dcgan"].recipe)
    for module in D.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() > 10_000:
            assert abs(module.weight.std().item() - 0.02) < 0.0005


def test_resnet_has_the_published_size() -> None:
    """SNGAN on CIFAR-10: 4.28 M and 1.05 M parameters."""
    recipe, spec = ARCHITECTURES["resnet"].recipe, SampleSpec((3, 32, 32))
    assert parameters(resnet.Generator(spec, recipe)) == 4_276_739
    assert parameters(resnet.Discriminator(spec, recipe)) == 1_053_824


def test_resnet_pools_by_sum_or_mean() -> None:
    spec, x = SampleSpec((1, 32, 32)), torch.randn(2, 1, 32, 32)
    answers = []
    for pool in ("sum", "mean"):
        torch.manual_seed(0)
        answers.append(resnet.Discriminator(spec, recipe_of(ARCHITECTURES["resnet"], pool=pool))(x).features)
    assert torch.allclose(answers[0], answers[1] * 64, rtol=1e-4)
    with pytest.raises(UsageError, match="pool"):
        resnet.Discriminator(spec, recipe_of(ARCHITECTURES["resnet"], pool="max"))


def test_labels_change_what_cdcgan_draws_and_says() -> None:
    architecture, spec = ARCHITECTURES["cdcgan"], SampleSpec((1, 28, 28), classes=3)
    recipe = recipe_of(architecture)
    torch.manual_seed(0)
    G, D = architecture.generator(spec, recipe).eval(), architecture.discriminator(spec, recipe).eval()
    z, zeros, twos = torch.randn(4, recipe["latent"]), torch.zeros(4).long(), torch.full((4,), 2)
    x = G(z, zeros)
    assert not torch.equal(x, G(z, twos))
    assert not torch.equal(D(x, zeros).logit, D(x, twos).logit)
    assert "labels" in architecture.traits(spec, recipe)


def test_what_does_not_fit_is_refused_with_the_reason() -> None:
    assert "28, 32, 64 pixels" in ARCHITECTURES["dcgan"].accepts.refuses(SampleSpec((3, 48, 48)))
    assert "points" in ARCHITECTURES["resnet"].accepts.refuses(RING)
    assert "labels" in ARCHITECTURES["cdcgan"].accepts.refuses(SampleSpec((1, 28, 28)))
    assert ARCHITECTURES["mlp"].accepts.refuses(RING) is None


def test_spectral_norm_bounds_every_weight_of_the_resnet() -> None:
    architecture = ARCHITECTURES["resnet"]
    component = next(iter(spectral_norm.ganbench_regularizers()))
    assert architecture.brings == (component.name,)
    spec, recipe = SampleSpec((3, 32, 32)), recipe_of(architecture)
    torch.manual_seed(0)
    build = component.build(spec, component.recipe).wrap("D", lambda: architecture.discriminator(spec, recipe))
    D, x = build(), torch.randn(2, 3, 32, 32)
    for _ in range(50):
        D(x)
    D.eval()
    weights = [m.weight for m in D.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert len(weights) == 11
    for weight in weights:
        assert abs(torch.linalg.matrix_norm(weight.flatten(1), 2).item() - 1) < 0.02


def test_spectral_norm_leaves_alone_what_it_is_not_told_of() -> None:
    component = next(iter(spectral_norm.ganbench_regularizers()))
    spec, maker = SampleSpec((1, 28, 28)), lambda: nn.Linear(2, 2)
    off = Recipe({**component.recipe, "spectral-norm.on": False})
    assert component.build(spec, component.recipe).wrap("G", maker) is maker
    assert component.build(spec, off).wrap("D", maker) is maker
