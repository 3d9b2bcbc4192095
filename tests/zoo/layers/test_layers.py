"""Building blocks: what they compute, not only their shapes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganbench import UsageError
from ganbench_zoo.layers.initializers import normal_init, xavier_init
from ganbench_zoo.layers.labels import append_labels, one_hot
from ganbench_zoo.layers.norms import cancels_bias, norm1d, norm2d, per_sample
from ganbench_zoo.layers.outputs import output_activation
from ganbench_zoo.layers.residual import DownBlock, UpBlock
from ganbench_zoo.layers.warps import compose, moving, scaling, shift, turning, warp


@pytest.mark.parametrize("kind", ["batch", "layer", "instance", "none"])
def test_what_is_said_of_a_norm_holds(kind: str) -> None:
    x, norm = torch.randn(4, 3, 5, 5), norm2d(kind, 3)
    assert torch.allclose(norm(x)[:2], norm(x[:2]), atol=1e-5) == per_sample(kind)
    shift = torch.tensor([0.0, 10.0, 20.0]).reshape(1, 3, 1, 1)
    assert torch.allclose(norm(x + shift), norm(x), atol=1e-4) == cancels_bias(kind)


def test_layer_norm_covers_channels_and_pixels() -> None:
    y = norm2d("layer", 3)(torch.randn(4, 3, 5, 5) * 7 + 2).flatten(1)
    assert torch.allclose(y.mean(1), torch.zeros(4), atol=1e-5)
    assert torch.allclose(y.var(1, unbiased=False), torch.ones(4), atol=1e-3)


def test_an_unknown_norm_is_the_users_error() -> None:
    for make in (norm1d, norm2d):
        with pytest.raises(UsageError, match=r"'group'.*norm_G and norm_D"):
            make("group", 3)


@pytest.mark.parametrize("bounds", [(-1.0, 1.0), (0.0, 1.0), (-3.0, 5.0)])
def test_outputs_fill_the_range(bounds: tuple[float, float]) -> None:
    y = output_activation(bounds)(torch.tensor([-50.0, 0.0, 50.0]))
    assert y.tolist() == pytest.approx([bounds[0], sum(bounds) / 2, bounds[1]])


def test_unbounded_outputs_pass() -> None:
    x = torch.randn(3) * 100
    assert torch.equal(output_activation(None)(x), x)


def test_labels_are_one_hot_and_constant_over_pixels() -> None:
    y = torch.tensor([2, 0])
    assert torch.equal(one_hot(y, 3, torch.float32), F.one_hot(y, 3).float())
    x = torch.randn(2, 1, 4, 4)
    joined = append_labels(x, y, 3)
    assert joined.shape == (2, 4, 4, 4)
    assert torch.equal(joined[:, :1], x)
    assert torch.equal(joined[:, 1:].amin((2, 3)), joined[:, 1:].amax((2, 3)))
    assert append_labels(torch.randn(2, 5), y, 3)[:, 5:].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_initialisations_have_the_stated_spread() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(64, 32, 3)
    normal_init(layer)
    assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
    xavier_init(layer, gain=2.0)
    assert layer.weight.std().item() == pytest.approx(2 * (2 / (9 * 64 + 9 * 32)) ** 0.5, rel=0.05)
    assert layer.bias.abs().max() == 0


def test_an_up_block_adds_its_paths_at_twice_the_resolution() -> None:
    block = UpBlock(6, 4, "none").eval()
    x = torch.randn(2, 6, 5, 5)
    doubled = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    expected = block.conv2(F.relu(block.conv1(F.relu(doubled)))) + block.shortcut(doubled)
    assert torch.allclose(block(x), expected, atol=1e-5)


def test_a_down_block_adds_its_paths_at_half_the_resolution() -> None:
    x = torch.randn(2, 6, 8, 8)
    for first in (False, True):
        block = DownBlock(6, 4, first=first)
        h = block.conv2(F.relu(block.conv1(x if first else F.relu(x))))
        assert torch.allclose(block(x), F.avg_pool2d(h + block.shortcut(x), 2), atol=1e-5)


def test_a_block_that_changes_nothing_has_an_identity_shortcut() -> None:
    for block in (UpBlock(4, 4, up=False), DownBlock(4, 4, down=False)):
        assert isinstance(block.shortcut, nn.Identity)
        assert block(torch.randn(2, 4, 6, 6)).shape == (2, 4, 6, 6)


def test_the_first_down_block_sees_the_image_unnormalized() -> None:
    block = DownBlock(3, 4, "layer", first=True)
    assert not any(isinstance(m, nn.GroupNorm) for m in block.modules())


def test_warp_is_bilinear_sampling_mirrored_at_the_outermost_pixels() -> None:
    """What `grid_sample` gives, for maps that reach far beyond the image."""
    x, maps = torch.randn(16, 2, 7, 10).double(), torch.randn(16, 3, 3).double()
    maps[:, 2] = torch.tensor([0.0, 0.0, 1.0])
    maps[:, :2, 2] *= 10
    unit = torch.diag(torch.tensor([9 / 2, 6 / 2, 1.0])).double()  # half the distance between the outermost pixels
    grid = F.affine_grid((unit.inverse() @ maps @ unit)[:, :2], list(x.shape), align_corners=True)
    expected = F.grid_sample(x, grid, padding_mode="reflection", align_corners=True)
    assert torch.allclose(warp(x, maps), expected)


@pytest.mark.parametrize("shape", [(6, 6), (5, 5), (5, 8), (1, 4)])
def test_warps_of_whole_pixels_are_exact(shape: tuple[int, int]) -> None:
    x, one, zero = torch.randn(1, 3, *shape), torch.ones(1), torch.zeros(1)
    assert torch.equal(warp(x, scaling(one, one)), x)
    assert torch.equal(warp(x, scaling(-one, one)), x.flip(3))
    assert torch.equal(warp(x, turning(-one, zero)), x.flip(2, 3))
    right = warp(x, moving(-one, zero))
    assert torch.equal(right[..., 1:], x[..., :-1]) and torch.equal(right[..., 0], x[..., 1]), "mirrored"
    if shape[0] == shape[1]:
        assert torch.equal(warp(x, turning(zero, one)), torch.rot90(x, 1, (2, 3)))
    both = compose([turning(-one, zero), moving(-one, zero)])
    assert torch.equal(warp(x, both), warp(warp(x, turning(-one, zero)), moving(-one, zero)))


def test_shift_is_a_move_with_something_else_behind() -> None:
    x, down, right = torch.randn(3, 2, 5, 6), torch.tensor([0, -2, 7]), torch.tensor([3, 1, 0])
    for image, moved, i, j in zip(x, shift(x, down, right, 9.0), down.tolist(), right.tolist(), strict=True):
        room = F.pad(image, (8, 8, 8, 8), value=9.0)
        assert torch.equal(moved, room[:, 8 - i : 13 - i, 8 - j : 14 - j])


def test_what_moves_pixels_has_two_derivatives() -> None:
    x = torch.randn(2, 1, 3, 4, dtype=torch.double, requires_grad=True)
    maps = torch.randn(2, 3, 3).double()
    assert torch.autograd.gradgradcheck(lambda x: warp(x, maps).square(), x)
    assert torch.autograd.gradgradcheck(lambda x: shift(x, torch.tensor([1, 0]), torch.tensor([0, -2])).square(), x)
