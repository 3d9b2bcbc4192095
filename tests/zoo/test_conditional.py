"""Class-conditional networks against the papers' equations: what the label does in G, in D and in the loss."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganbench import Answer, Architecture, Batch, Recipe, SampleSpec, UsageError
from ganbench_zoo.architectures import (
    ac_dcgan,
    ac_resnet,
    attention_resnet,
    dcgan,
    projection_dcgan,
    projection_resnet,
    resnet,
)
from ganbench_zoo.layers.conditional_norm import ConditionalBatchNorm2d
from ganbench_zoo.layers.self_attention import SelfAttention
from ganbench_zoo.presets import sagan, sngan, sngan_projection
from ganbench_zoo.regularizers import auxiliary_classifier, spectral_norm

MODULES = (projection_resnet, projection_dcgan, ac_resnet, ac_dcgan, attention_resnet)
ARCHITECTURES = {a.name: a for module in MODULES for a in module.ganbench_architectures()}
CLASSIFYING = ["ac-resnet", "ac-dcgan"]
IMAGES = [SampleSpec((channels, size, size), classes=3) for size in (28, 32) for channels in (1, 3)]
LABELS = torch.tensor([0, 1, 2, 2])
CIFAR = SampleSpec((3, 32, 32), classes=10)


def recipe_of(architecture: Architecture, **changes: Any) -> Recipe:
    return Recipe({"latent": 10, **architecture.recipe, "width": 8, **changes})


def networks(name: str, spec: SampleSpec, **changes: Any) -> tuple[nn.Module, nn.Module, Tensor]:
    """G, D and four latents; the classes of G's norms told apart, as training would."""
    architecture = ARCHITECTURES[name]
    recipe = recipe_of(architecture, **changes)
    torch.manual_seed(0)
    G, D = architecture.generator(spec, recipe), architecture.discriminator(spec, recipe)
    for module in G.modules():
        if isinstance(module, ConditionalBatchNorm2d):
            nn.init.normal_(module.gain, 1.0, 0.5)
            nn.init.normal_(module.bias, 0.0, 0.5)
    return G, D, torch.randn(4, recipe["latent"])


def asked(D: nn.Module, x: Tensor, y: Tensor) -> Answer:
    """D's answer; a classifier is not told y."""
    answer: Answer = D(x) if hasattr(D, "classifier") else D(x, y)
    return answer


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("spec", IMAGES, ids=str)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_images_in_range_and_one_answer_each(name: str, spec: SampleSpec) -> None:
    assert ARCHITECTURES[name].accepts.refuses(spec) is None
    G, D, z = networks(name, spec)
    x = G(z, LABELS)
    answer = asked(D, x, LABELS)
    assert x.shape == (4, *spec.shape)
    assert x.abs().max() <= 1
    assert answer.logit.shape == (4,)
    assert answer.features.shape == (4, D.width)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_each_label_draws_another_image_from_one_latent(name: str) -> None:
    G, _, z = networks(name, IMAGES[0])
    G.eval()
    images = [G(z[:1], torch.tensor([label])) for label in range(3)]
    assert not any(torch.equal(a, b) for a, b in zip(images, images[1:] + images[:1], strict=True))


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_per_sample_is_offered_exactly_where_it_holds(name: str, norm: str) -> None:
    _, D, _ = networks(name, IMAGES[0], norm_D=norm)
    x = torch.randn(4, 1, 28, 28)
    together, alone = asked(D, x, LABELS).logit, asked(D, x[:2], LABELS[:2]).logit
    offered = ARCHITECTURES[name].traits(IMAGES[0], recipe_of(ARCHITECTURES[name], norm_D=norm))
    assert {"labels", "features"} <= offered
    assert torch.allclose(together[:2], alone, atol=1e-5) == ("per-sample-D" in offered)


@pytest.mark.parametrize("pool", ["sum", "mean"])
def test_a_projection_is_a_linear_answer_and_the_product_with_the_labels_vector(pool: str) -> None:
    _, D, _ = networks("projection-resnet", CIFAR, pool=pool)
    x = torch.randn(4, 3, 32, 32)
    answer = asked(D, x, LABELS)
    maps = D.features.blocks(x).clamp(min=0).flatten(2)
    phi = maps.sum(2) if pool == "sum" else maps.mean(2)
    assert torch.allclose(answer.features, phi, rtol=1e-4)
    psi, v = phi @ D.output.weight[0], D.label.weight
    expected = [psi[i] + torch.dot(v[c], phi[i]) for i, c in enumerate(LABELS.tolist())]
    assert torch.allclose(answer.logit, torch.stack(expected), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["projection-resnet", "projection-dcgan", "attention-resnet"])
def test_what_a_projection_says_of_two_labels_differs_linearly_in_the_features(name: str) -> None:
    """f(x, a) - f(x, b) = ⟨v_a - v_b, φ(x)⟩: the form that the paper derives for the ratio of two classes."""
    _, D, _ = networks(name, CIFAR)
    x, zeros = torch.randn(4, 3, 32, 32), torch.zeros(4).long()
    one, other = asked(D, x, zeros), asked(D, x, zeros + 7)
    assert torch.equal(one.features, other.features)
    expected = one.features @ (D.label.weight[0] - D.label.weight[7])
    assert expected.abs().max() > 0
    assert torch.allclose(one.logit - other.logit, expected, rtol=1e-4, atol=1e-4)


def test_a_projection_resnet_is_the_resnet_and_what_the_classes_add() -> None:
    """Ten gains and biases in place of one, for two norms of 256 channels in each of three blocks; a vector a class."""
    architecture, plain = ARCHITECTURES["projection-resnet"], next(iter(resnet.ganbench_architectures())).recipe
    assert dict(plain) == {**architecture.recipe, "norm_G": "batch"}
    G, D = (make(CIFAR, architecture.recipe) for make in (architecture.generator, architecture.discriminator))
    assert parameters(G) == parameters(resnet.Generator(CIFAR, plain)) + 3 * 2 * 2 * 256 * (10 - 1)
    assert parameters(D) == parameters(resnet.Discriminator(CIFAR, plain)) + 10 * 128


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("projection-resnet", resnet),
        ("projection-dcgan", dcgan),
        ("ac-resnet", resnet),
        ("ac-dcgan", dcgan),
    ],
)
def test_what_knows_no_label_in_D_is_what_it_is_without_labels(name: str, plain: Any) -> None:
    _, D, _ = networks(name, CIFAR, norm_D="none")
    unaware = plain.Discriminator(CIFAR, recipe_of(ARCHITECTURES[name], norm_D="none", norm_G="batch"))
    if hasattr(D, "label"):
        nn.init.zeros_(D.label.weight)
    own = [p for key, p in D.named_parameters() if not key.startswith(("label", "classifier"))]
    with torch.no_grad():
        for mine, theirs in zip(own, unaware.parameters(), strict=True):
            mine.copy_(theirs)
    x = torch.randn(4, 3, 32, 32)
    assert torch.equal(asked(D, x, LABELS).logit, unaware(x).logit)


@pytest.mark.parametrize("name", ["ac-dcgan", "projection-dcgan"])
def test_the_conditional_dcgans_have_the_generator_and_the_recipe_of_cdcgan(name: str) -> None:
    architecture = ARCHITECTURES[name]
    recipe = recipe_of(architecture)
    G, theirs = architecture.generator(CIFAR, recipe), dcgan.ConditionalGenerator(CIFAR, recipe)
    theirs.net.load_state_dict(G.state_dict())
    z = torch.randn(4, recipe["latent"])
    assert torch.equal(G(z, LABELS), theirs(z, LABELS))
    assert architecture.recipe == next(a for a in dcgan.ganbench_architectures() if a.name == "cdcgan").recipe


@pytest.mark.parametrize("name", ["ac-dcgan", "projection-dcgan"])
def test_every_weight_of_the_conditional_dcgans_starts_from_the_published_distribution(name: str) -> None:
    torch.manual_seed(0)
    architecture = ARCHITECTURES[name]
    D = architecture.discriminator(CIFAR, architecture.recipe)
    for module in D.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)) and module.weight.numel() > 10_000:
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_an_unknown_pooling_is_the_users_error() -> None:
    with pytest.raises(UsageError, match="D cannot pool by 'max'"):
        networks("projection-resnet", CIFAR, pool="max")


def test_spectral_norm_bounds_the_vectors_of_the_labels_too() -> None:
    component = next(iter(spectral_norm.ganbench_regularizers()))
    assert ARCHITECTURES["projection-resnet"].brings == (component.name,)
    D = component.build(CIFAR, component.recipe).wrap("D", lambda: networks("projection-resnet", CIFAR)[1])()
    x = torch.randn(4, 3, 32, 32)
    for _ in range(50):
        asked(D, x, LABELS)
    D.eval()
    weights = [m.weight for m in D.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding))]
    assert len(weights) == 12
    for weight in weights:
        assert abs(torch.linalg.matrix_norm(weight.flatten(1), 2).item() - 1) < 0.02


@pytest.mark.parametrize("name", CLASSIFYING)
def test_a_classifier_answers_linearly_in_the_features_and_is_not_told_the_label(name: str) -> None:
    _, D, _ = networks(name, CIFAR, norm_D="none")
    answer = asked(D, torch.randn(4, 3, 32, 32), LABELS)
    assert answer.classes.shape == (4, 10)
    expected = answer.features @ D.classifier.weight.T + D.classifier.bias
    assert torch.allclose(answer.classes, expected, rtol=1e-4, atol=1e-5)
    assert {"classes", "labels"} <= ARCHITECTURES[name].traits(CIFAR, ARCHITECTURES[name].recipe)
    assert "auxiliary-classifier" in ARCHITECTURES[name].brings


class Classes:
    """A view of a D whose class logits are the samples themselves."""

    def answer(self, batch: Batch) -> Answer:
        return Answer(classes=batch.x)


def test_the_auxiliary_loss_is_the_cross_entropy_of_the_labels() -> None:
    (component,) = auxiliary_classifier.ganbench_regularizers()
    draws = torch.randn(2, 5, 3, dtype=torch.float64)  # a float32 has few digits left where a label is nearly certain
    real = Batch(x=draws[0], y=torch.tensor([0, 1, 2, 2, 1]))
    fake = Batch(x=draws[1] * 4, y=torch.tensor([1, 1, 0, 2, 0]), origin="fake")
    of_real, of_fake = (
        [-math.log(math.exp(x[c]) / sum(map(math.exp, x))) for x, c in zip(b.x.tolist(), b.y.tolist(), strict=True)]
        for b in (real, fake)
    )
    both = [r + f for r, f in zip(of_real, of_fake, strict=True)]
    alone = Recipe({**component.recipe, "auxiliary-classifier.on-fake": False})
    assert component.discriminator(Classes(), real, fake, component.recipe).tolist() == pytest.approx(both, rel=1e-5)
    assert component.discriminator(Classes(), real, fake, alone).tolist() == pytest.approx(of_real, rel=1e-5)
    assert component.generator(Classes(), fake).tolist() == pytest.approx(of_fake, rel=1e-5)
    assert component.recipe["auxiliary-classifier.weight"] == 1.0


def test_the_auxiliary_loss_trains_G_towards_its_label() -> None:
    """Its gradient with respect to the class logits is softmax - one-hot: the label's own logit rises."""
    (component,) = auxiliary_classifier.ganbench_regularizers()
    logits = torch.randn(4, 3, requires_grad=True)
    component.generator(Classes(), Batch(x=logits, y=LABELS, origin="fake")).sum().backward()
    expected = logits.detach().softmax(1) - torch.eye(3)[LABELS]
    assert torch.allclose(logits.grad, expected, atol=1e-6)


def test_sngan_with_a_projection_trains_as_sngan_does() -> None:
    """The paper's appendix A: the same networks, optimizer and hyper-parameters, and the projection."""
    (plain,), (conditional,) = sngan.ganbench_presets(), sngan_projection.ganbench_presets()
    assert (conditional.architecture, conditional.loss) == ("projection-resnet", "hinge")
    assert conditional.recipe == plain.recipe


@pytest.mark.parametrize("spec", IMAGES, ids=str)
def test_attention_stands_where_maps_are_half_as_wide_as_the_image(spec: SampleSpec) -> None:
    G, D, z = networks("attention-resnet", spec)
    seen = []
    layers = [m for net in (G, D) for m in net.modules() if isinstance(m, SelfAttention)]
    for layer in layers:
        layer.register_forward_hook(lambda module, inputs, output: seen.append(tuple(inputs[0].shape[1:])))
    asked(D, G(z, LABELS), LABELS)
    half = spec.shape[-1] // 2
    assert seen == [(16, half, half), (8, half, half)]


def test_an_attention_resnet_begins_as_the_projection_resnet() -> None:
    """Its layers start as the identity."""
    (G, D, z), (plain_G, plain_D, _) = networks("attention-resnet", CIFAR), networks("projection-resnet", CIFAR)
    for net, plain in ((G, plain_G), (D, plain_D)):
        attention = {id(p) for m in net.modules() if isinstance(m, SelfAttention) for p in m.parameters()}
        own = [p for p in net.parameters() if id(p) not in attention]
        with torch.no_grad():
            for mine, theirs in zip(own, plain.parameters(), strict=True):
                mine.copy_(theirs)
    x = G(z, LABELS)
    assert torch.equal(x, plain_G(z, LABELS))
    assert torch.equal(asked(D, x, LABELS).logit, asked(plain_D, x, LABELS).logit)


def test_sagan_normalizes_both_players_and_leaves_the_gains_of_the_classes_alone() -> None:
    (preset,), (component,) = sagan.ganbench_presets(), spectral_norm.ganbench_regularizers()
    wrapper = component.build(CIFAR, Recipe({**component.recipe, **preset.recipe}))
    for index, player in enumerate(("G", "D")):
        net = wrapper.wrap(player, lambda index=index: networks("attention-resnet", CIFAR)[index])()
        normalized = {name for name, m in net.named_modules() if nn.utils.parametrize.is_parametrized(m)}
        linear = {n for n, m in net.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding))}
        assert normalized == linear and len(linear) > 10
    assert (preset.recipe["lr_D"], preset.recipe["lr_G"], preset.recipe["d_steps"]) == (4e-4, 1e-4, 1)
