"""Layers of the style-based GANs against naive computations: loops, NumPy, torch's own functions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ganbench_zoo.layers.batch_deviation import batch_deviation
from ganbench_zoo.layers.equalized import EqualConv2d, EqualLinear, leaky_relu
from ganbench_zoo.layers.modulated import ModulatedConv2d, StyledLayer
from ganbench_zoo.layers.pixel_norm import PixelNorm, pixel_norm
from ganbench_zoo.layers.resampling import Filter

ROW = np.array([1, 3, 3, 1]) / 8


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("rate", [1.0, 0.01])
def test_an_equalized_layer_scales_what_starts_from_a_unit_normal(rate: float) -> None:
    layer, x = EqualLinear(300, 200, bias=0.5, rate=rate), torch.randn(500, 300)
    assert layer.weight.std().item() == pytest.approx(1 / rate, rel=0.02)
    expected = x @ (layer.weight.T * (rate / math.sqrt(300))) + 0.5
    assert torch.allclose(layer(x), expected, atol=1e-4)
    assert (layer(x) - 0.5).var().item() == pytest.approx(1, rel=0.05)


def test_an_equalized_convolution_keeps_the_variance_of_its_input() -> None:
    layer, x = EqualConv2d(64, 48, 3), torch.randn(4, 64, 16, 16)
    y = layer(x)
    assert y.shape == (4, 48, 16, 16)
    assert y[:, :, 1:-1, 1:-1].var().item() == pytest.approx(1, rel=0.1)
    assert torch.allclose(y, F.conv2d(x, layer.weight / math.sqrt(64 * 9), padding=1), atol=1e-5)
    assert leaky_relu(torch.randn(100_000)).square().mean().item() == pytest.approx(1.04, rel=0.02)


def test_adam_moves_equalized_layers_at_one_pace() -> None:
    """One step changes each weight in use by the learning rate over √fan_in, and a slow layer's by a hundredth."""
    layers = [EqualLinear(n, 3, bias=None, rate=rate) for n, rate in ((4, 1.0), (400, 1.0), (400, 0.01))]
    before = [layer.weight.detach() * layer.scale for layer in layers]
    optimizer = torch.optim.Adam([p for layer in layers for p in layer.parameters()], lr=1e-3)
    torch.stack([layer(torch.ones(1, layer.in_features)).sum() for layer in layers]).sum().backward()
    optimizer.step()
    moved = [(layer.weight * layer.scale - b).abs().mean().item() for layer, b in zip(layers, before, strict=True)]
    assert moved == pytest.approx([1e-3 / 2, 1e-3 / 20, 1e-5 / 20], rel=1e-2)


def test_pixel_norm_gives_each_pixel_a_mean_square_of_one() -> None:
    x = torch.randn(2, 5, 3, 4) * 7
    for b, i, j in ((0, 0, 0), (1, 2, 3)):
        root = math.sqrt(sum(v * v for v in x[b, :, i, j].tolist()) / 5)
        assert torch.allclose(PixelNorm()(x)[b, :, i, j], x[b, :, i, j] / root, atol=1e-5)
    assert pixel_norm(torch.randn(8, 16)).square().mean(1).tolist() == pytest.approx([1] * 8)


def test_the_deviation_is_that_of_each_group_averaged() -> None:
    x = torch.randn(8, 3, 2, 2)
    y = batch_deviation(x, 4)
    assert torch.equal(y[:, :3], x)
    for sample in range(8):
        group = x[sample % 2 :: 2].numpy()
        expected = np.sqrt(group.var(axis=0) + 1e-8).mean()
        assert y[sample, 3].flatten().tolist() == pytest.approx([expected] * 4, rel=1e-4)


@pytest.mark.parametrize(("count", "group", "size"), [(6, 4, 3), (5, 4, 1), (4, 32, 4), (2, 4, 2)])
def test_a_group_is_as_large_as_divides_the_batch(count: int, group: int, size: int) -> None:
    x = torch.randn(count, 1, 1, 1)
    expected = [x[i % (count // size) :: count // size].var(unbiased=False).item() ** 0.5 for i in range(count)]
    assert batch_deviation(x, group)[:, 1].flatten().tolist() == pytest.approx(expected, abs=2e-4)


def test_equal_samples_have_no_deviation_and_a_finite_gradient() -> None:
    x = torch.ones(4, 2, 3, 3, requires_grad=True)
    y = batch_deviation(x, 4)
    assert y[:, 2].max() <= 1.1e-4
    y.sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


def correlate(x: np.ndarray, padding: int) -> np.ndarray:
    """One map filtered with zeros around it."""
    kernel, padded = np.outer(ROW, ROW), np.pad(x, padding)
    height, width = padded.shape[0] - 3, padded.shape[1] - 3
    return np.array([[(padded[i : i + 4, j : j + 4] * kernel).sum() for j in range(width)] for i in range(height)])


@pytest.mark.parametrize("padding", [1, 2])
def test_a_blur_is_numpys(padding: int) -> None:
    x = torch.randn(2, 3, 6, 5)
    y = Filter().blur(x, padding, gain=2.0)
    for b, c in ((0, 0), (1, 2)):
        assert np.allclose(y[b, c].numpy(), 2 * correlate(x[b, c].numpy(), padding), atol=1e-5)


def test_enlarging_puts_zeros_between_pixels_and_filters() -> None:
    x = torch.randn(2, 3, 4, 5)
    y = Filter().enlarge(x)
    spread = np.zeros((8, 10))
    spread[::2, ::2] = x[1, 2].numpy()
    expected = correlate(np.pad(spread, ((2, 1), (2, 1))), 0) * 4
    assert np.allclose(y[1, 2].numpy(), expected, atol=1e-5)
    assert torch.allclose(Filter().enlarge(torch.ones(1, 1, 6, 6))[..., 2:-2, 2:-2], torch.ones(1, 1, 8, 8))


def naive(layer: ModulatedConv2d, x: Tensor, w: Tensor) -> Tensor:
    """Weights made for each sample, as eq. 1 and 3 say, and an enlarged input with zeros between its pixels."""
    outputs = []
    for image, style in zip(x, w, strict=True):
        s = layer.style.weight @ style / math.sqrt(len(style)) + layer.style.bias
        weight = layer.weight * layer.scale * s[:, None, None]
        if layer.demodulate:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if layer.filter is None:
            outputs.append(F.conv2d(image[None], weight, padding=layer.padding)[0])
        else:
            height, width = image.shape[1:]
            spread = image.new_zeros(len(image), 2 * height - 1, 2 * width - 1)
            spread[:, ::2, ::2] = image
            y = F.conv2d(spread[None], weight.flip(2, 3), padding=2)[0]
            outputs.append(torch.stack([torch.from_numpy(correlate(m.numpy(), 1)).float() * 4 for m in y.detach()]))
    return torch.stack(outputs)


@pytest.mark.parametrize(
    "options", [{"kernel": 3}, {"kernel": 1, "demodulate": False}, {"kernel": 3, "up": True}], ids=str
)
def test_a_modulated_convolution_is_one_convolution_for_each_sample(options: dict[str, Any]) -> None:
    layer, x, w = ModulatedConv2d(6, 5, width=7, **options), torch.randn(3, 6, 4, 4), torch.randn(3, 7)
    assert torch.allclose(layer(x, w), naive(layer, x, w), atol=1e-5)


def test_demodulated_outputs_have_unit_variance_whatever_the_style() -> None:
    layer, x = ModulatedConv2d(64, 64, 3, width=8), torch.randn(2, 64, 24, 24)
    y = layer(x, 30 * torch.randn(2, 8))
    assert y[:, :, 1:-1, 1:-1].var(dim=(1, 2, 3)).tolist() == pytest.approx([1, 1], rel=0.15)


def test_noise_comes_at_the_learnt_strength_and_from_the_default_generator() -> None:
    layer, x, w = StyledLayer(4, 4, 6), torch.randn(2, 4, 5, 5), torch.randn(2, 6)
    assert torch.equal(layer(x, w), layer(x, w))
    torch.nn.init.constant_(layer.strength, 0.5)
    torch.manual_seed(1)
    y = layer(x, w)
    torch.manual_seed(1)
    noise = torch.randn(2, 1, 5, 5)
    assert torch.allclose(y, leaky_relu(layer.convolution(x, w) + 0.5 * noise), atol=1e-6)


@pytest.mark.parametrize("up", [False, True])
def test_a_modulated_convolution_may_be_differentiated_twice(up: bool) -> None:
    layer = ModulatedConv2d(2, 2, 3, width=3, up=up).double()
    x = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    w = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, (x, w))
    blur = Filter().double().blur
    assert torch.autograd.gradgradcheck(lambda x: blur(batch_deviation(x.square(), 2), 1), (x,))
