"""R3GAN against the paper: sizes, blocks that begin as the identity, and what its preset trains."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganbench import Answer, Recipe, SampleSpec
from ganbench_zoo.architectures import r3gan
from ganbench_zoo.layers.fixup import FixupBlock
from ganbench_zoo.layers.resampling import Filter
from ganbench_zoo.presets import r3gan as preset

(ARCHITECTURE,) = r3gan.ganbench_architectures()


def made(spec: SampleSpec, **changes: Any) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    recipe = Recipe({**ARCHITECTURE.recipe, "width": 16, "finest": 8, "latent": 12, **changes})
    return ARCHITECTURE.generator(spec, recipe), ARCHITECTURE.discriminator(spec, recipe)


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_images_in_range_and_an_answer_to_each_alone(size: int, channels: int) -> None:
    spec = SampleSpec((channels, size, size))
    assert ARCHITECTURE.accepts.refuses(spec) is None
    G, D = made(spec)
    x = G(torch.randn(4, 12))
    answer: Answer = D(x)
    assert x.shape == (4, *spec.shape) and x.abs().max() <= 1
    assert answer.logit.shape == (4,) and answer.features.shape == (4, D.width)
    assert torch.allclose(D(x[:2]).logit, answer.logit[:2], atol=1e-5)


def test_networks_of_32_pixels_have_the_published_layers() -> None:
    """Counted from the paper: stages of two blocks of 768 channels, 1536 inside, in 96 groups."""
    spec, c = SampleSpec((3, 32, 32)), 768
    with torch.device("meta"):
        G, D = (make(spec, ARCHITECTURE.recipe) for make in (ARCHITECTURE.generator, ARCHITECTURE.discriminator))
    block = (c * 2 * c + 2 * c) + (16 * 2 * c * 9 + 2 * c) + 2 * c * c
    assert parameters(G) == 8 * block + 64 * c + 16 * c + 3 * c
    assert parameters(D) == 8 * block + 3 * c + 16 * c + c
    assert {m.groups for m in G.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)} == {96}


def test_a_block_begins_as_the_identity_and_from_fixups_distribution() -> None:
    torch.manual_seed(0)
    block, x = FixupBlock(64, blocks=8), torch.randn(2, 64, 6, 6)
    assert torch.equal(block(x), x)
    he = math.sqrt(2 / 1.04)
    assert block.first.weight.std().item() == pytest.approx(he / math.sqrt(64) * 8**-0.25, rel=0.05)
    assert block.second.weight.std().item() == pytest.approx(he / math.sqrt(16 * 9) * 8**-0.25, rel=0.05)


def test_a_block_adds_what_its_three_convolutions_make() -> None:
    """The grouped one as a loop over its groups of 16 channels."""
    torch.manual_seed(0)
    block, x = FixupBlock(16, blocks=2), torch.randn(2, 16, 5, 5)
    nn.init.normal_(block.third.weight)
    h = F.leaky_relu(torch.einsum("oi,bihw->bohw", block.first.weight[:, :, 0, 0], x), 0.2)
    groups = zip(h.split(16, 1), block.second.weight.split(16), strict=True)
    h = F.leaky_relu(torch.cat([F.conv2d(maps, weight, padding=1) for maps, weight in groups], 1), 0.2)
    expected = x + torch.einsum("oi,bihw->bohw", block.third.weight[:, :, 0, 0], h)
    assert torch.allclose(block(x), expected, atol=1e-4)


def test_resampling_is_bilinear_inside_and_commutes_with_the_change_of_channels() -> None:
    torch.manual_seed(0)
    x, keep = torch.randn(2, 3, 8, 8), (..., slice(1, -1), slice(1, -1))
    larger = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(Filter().enlarge(x)[keep], larger[keep], atol=1e-5)
    smaller = F.interpolate(x, scale_factor=0.5, mode="bilinear", align_corners=False, antialias=True)
    assert torch.allclose(Filter().shrink(x)[keep], smaller[keep], atol=1e-5)
    up, down = r3gan.Resampled(3, 5, up=True), r3gan.Resampled(3, 5, up=False)
    assert torch.allclose(up(x), up.change(Filter().enlarge(x)), atol=1e-5)
    assert torch.allclose(down(x), Filter().shrink(down.change(x)), atol=1e-5)


def test_images_and_answers_start_at_a_variance_of_about_one() -> None:
    G, D = made(SampleSpec((1, 32, 32)), width=64, finest=64)
    before: list[torch.Tensor] = []
    G.output[-1].register_forward_hook(lambda module, inputs, output: before.append(inputs[0]))
    G(torch.randn(128, 12))
    assert 0.2 < before[0].std().item() < 2
    assert 0.2 < D(F.interpolate(torch.randn(128, 1, 4, 4), scale_factor=8)).logit.std().item() < 3


def test_the_networks_may_be_differentiated_twice() -> None:
    _, D = made(SampleSpec((1, 28, 28)), width=16, finest=4)
    for block in (m for m in D.modules() if isinstance(m, FixupBlock)):
        nn.init.normal_(block.third.weight, 0.0, 0.1)
    x = torch.randn(3, 1, 28, 28, requires_grad=True)
    slope = torch.autograd.grad(D(x).logit.sum(), x, create_graph=True)[0]
    slope.square().sum().backward()
    reached = [n for n, p in D.named_parameters() if p.grad is not None and p.grad.any()]
    assert {"output.weight", "layers.0.weight"} <= set(reached)


def test_the_preset_is_the_regularized_relativistic_objective() -> None:
    (whole,) = preset.ganbench_presets()
    assert (whole.architecture, whole.loss, whole.regularizers) == ("r3gan", "relativistic", ("r1", "r2"))
    assert whole.recipe["r1.weight"] == whole.recipe["r2.weight"]
