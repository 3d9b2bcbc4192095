"""BigGAN against the paper: parts of z, the shared embedding, orthogonal weights, the truncated latents."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from ganbench import Answer, Recipe, SampleSpec, UsageError
from ganbench_zoo.architectures import biggan
from ganbench_zoo.layers.self_attention import SelfAttention
from ganbench_zoo.presets import biggan as preset
from ganbench_zoo.regularizers import spectral_norm

(ARCHITECTURE,) = biggan.ganbench_architectures()
LABELS = torch.tensor([0, 1, 2, 2])


def made(size: int = 28, **changes: Any) -> tuple[Any, Any]:
    torch.manual_seed(0)
    recipe = Recipe({**ARCHITECTURE.recipe, "width": 16, "latent": 12, "shared": 6, **changes})
    spec = SampleSpec((1, size, size), classes=3)
    return ARCHITECTURE.generator(spec, recipe), ARCHITECTURE.discriminator(spec, recipe)


@pytest.mark.parametrize("size", [28, 32])
def test_images_in_range_and_an_answer_to_each_alone(size: int) -> None:
    G, D = made(size)
    x = G(torch.randn(4, 12), LABELS)
    answer: Answer = D(x, LABELS)
    assert x.shape == (4, 1, size, size) and x.abs().max() <= 1
    assert answer.logit.shape == (4,) and answer.features.shape == (4, 16)
    assert torch.allclose(D(x[:2], LABELS[:2]).logit, answer.logit[:2], atol=1e-5)
    assert "labels" in ARCHITECTURE.traits(SampleSpec((1, size, size), classes=3), ARCHITECTURE.recipe)


def test_a_block_is_told_its_part_of_z_and_the_shared_embedding() -> None:
    G, _ = made()
    z, codes = torch.randn(4, 12), []
    for block in G.blocks:
        block.register_forward_hook(lambda module, inputs, output: codes.append(inputs[1]))
    G(z, LABELS)
    for index, code in enumerate(codes):
        assert torch.equal(code, torch.cat([z[:, 3 * index + 3 : 3 * index + 6], G.label[LABELS]], dim=1))


def test_a_modulated_batch_norm_scales_and_shifts_each_sample_by_its_code() -> None:
    torch.manual_seed(0)
    norm, x, code = biggan.ModulatedBatchNorm2d(5, 4), torch.randn(6, 5, 3, 3) * 3 + 1, torch.randn(6, 4)
    y = norm(x, code)
    mean, deviation = x.mean((0, 2, 3)), (x.var((0, 2, 3), unbiased=False) + 1e-5).sqrt()
    for sample in range(6):
        gain, bias = 1 + norm.gain.weight @ code[sample], norm.bias.weight @ code[sample]
        expected = (x[sample] - mean[:, None, None]) / deviation[:, None, None] * gain[:, None, None]
        assert torch.allclose(y[sample], expected + bias[:, None, None], atol=1e-4)


def test_every_weight_starts_orthogonal() -> None:
    checked = 0
    for net in made():
        for module in net.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear, nn.Embedding)):
                w = module.weight.flatten(1)
                w = w if w.shape[0] <= w.shape[1] else w.T
                assert torch.allclose(w @ w.T, torch.eye(len(w)), atol=1e-4)
                checked += 1
    assert checked > 30


def test_an_answer_is_linear_in_the_features_and_projects_them_on_the_label() -> None:
    _, D = made()
    answer = D(torch.randn(4, 1, 28, 28), LABELS)
    for i, label in enumerate(LABELS.tolist()):
        expected = answer.features[i] @ (D.output.weight[0] + D.label.weight[label]) + D.output.bias[0]
        assert answer.logit[i].item() == pytest.approx(expected.item(), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("bound", [0.5, 2.0])
def test_truncated_latents_are_normal_within_the_bound_at_sampling_alone(bound: float) -> None:
    G, _ = made(truncate_at=bound, latent=4000)
    seen: list[torch.Tensor] = []
    G.start.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].flatten()))
    z, y = torch.randn(20, 4000), torch.zeros(20).long()
    with torch.no_grad():
        G(z, y)
        G.eval()(z, y)
    plain, truncated = seen
    assert torch.equal(plain, z[:, :1000].flatten())
    assert truncated.abs().max() <= bound * (1 + 1e-5)
    assert torch.equal(truncated.argsort()[:100], plain.argsort()[:100])
    inside = plain[plain.abs() < bound]
    for share in (0.1, 0.3, 0.7, 0.9):
        assert truncated.quantile(share).item() == pytest.approx(inside.quantile(share).item(), abs=0.05 * bound)
    density = math.exp(-(bound**2) / 2) / math.sqrt(2 * math.pi)
    expected = 1 - 2 * bound * density / math.erf(bound / math.sqrt(2))
    assert truncated.var().item() == pytest.approx(expected, rel=0.05)


def test_latents_that_cannot_be_divided_are_the_users_error() -> None:
    with pytest.raises(UsageError, match="biggan divides z into 4 parts: set latent to a multiple, not 10"):
        made(latent=10)


def test_attention_stands_where_maps_are_half_as_wide_as_the_image() -> None:
    (G, D), seen = made(32), []
    for module in (*G.modules(), *D.modules()):
        if isinstance(module, SelfAttention):
            module.register_forward_hook(lambda module, inputs, output: seen.append(tuple(inputs[0].shape[1:])))
    D(G(torch.randn(4, 12), LABELS), LABELS)
    assert seen == [(16, 16, 16), (16, 16, 16)]


def test_the_preset_is_the_papers_and_normalizes_both_players() -> None:
    (whole,), (norm,) = preset.ganbench_presets(), spectral_norm.ganbench_regularizers()
    recipe = Recipe({**norm.recipe, **ARCHITECTURE.recipe, **whole.recipe})
    assert (whole.loss, whole.regularizers) == ("hinge", ("orthogonal",))
    assert (recipe["lr_D"], recipe["lr_G"], recipe["d_steps"], recipe["betas"]) == (2e-4, 5e-5, 2, (0.0, 0.999))
    assert 0.5 ** (256 / whole.recipe["ema_half_life"]) == pytest.approx(0.9999, rel=1e-6)
    wrapper = norm.build(SampleSpec((1, 28, 28), classes=3), recipe)
    for index, player in enumerate(("G", "D")):
        net = wrapper.wrap(player, lambda index=index: made()[index])()
        linear = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.Embedding))]
        assert all(nn.utils.parametrize.is_parametrized(m) for m in linear)
