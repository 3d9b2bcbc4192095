"""Layers that know the class: the same layers without classes, with each class's own gains and biases."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ganbench_zoo.layers.conditional_norm import ConditionalBatchNorm2d
from ganbench_zoo.layers.conditional_residual import ConditionalUpBlock
from ganbench_zoo.layers.residual import UpBlock

LABELS = torch.tensor([0, 2, 2, 0, 1])


def told_apart(norm: ConditionalBatchNorm2d) -> ConditionalBatchNorm2d:
    """The norm with gains and biases that differ."""
    nn.init.normal_(norm.gain)
    nn.init.normal_(norm.bias)
    return norm


def test_a_conditional_norm_is_a_batch_norm_and_then_a_scale_and_a_shift_for_each_class() -> None:
    torch.manual_seed(0)
    norm, plain = told_apart(ConditionalBatchNorm2d(4, 3)), nn.BatchNorm2d(4, affine=False)
    for training in (True, False):
        x = torch.randn(5, 4, 6, 6) * 3 + 1
        norm.train(training)
        plain.train(training)
        y, normalized = norm(x, LABELS), plain(x)
        for sample, label in enumerate(LABELS.tolist()):
            for channel in range(4):
                gain, bias = norm.gain[label, channel], norm.bias[label, channel]
                assert torch.allclose(y[sample, channel], gain * normalized[sample, channel] + bias, atol=1e-6)


def test_a_conditional_norm_of_one_class_trains_as_a_batch_norm_does() -> None:
    torch.manual_seed(0)
    norm, plain, x = ConditionalBatchNorm2d(4, 1), nn.BatchNorm2d(4), torch.randn(5, 4, 6, 6)
    weights = torch.randn(5, 4, 6, 6)
    y, expected = norm(x, torch.zeros(5).long()), plain(x)
    assert torch.allclose(y, expected, atol=1e-6)
    (y * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.allclose(norm.gain.grad[0], plain.weight.grad, atol=1e-4)
    assert torch.allclose(norm.bias.grad[0], plain.bias.grad, atol=1e-4)


def test_a_class_that_is_not_in_the_batch_learns_nothing() -> None:
    norm = ConditionalBatchNorm2d(4, 3)
    norm(torch.randn(2, 4, 6, 6), torch.tensor([0, 2])).square().sum().backward()
    assert norm.gain.grad.abs().sum(1).gt(0).tolist() == [True, False, True]


def test_no_spectral_norm_finds_the_gains() -> None:
    assert not any(isinstance(m, (nn.Embedding, nn.Linear)) for m in ConditionalBatchNorm2d(4, 3).modules())


def test_a_conditional_up_block_of_one_class_is_an_up_block() -> None:
    for up in (True, False):
        torch.manual_seed(0)
        block, x = ConditionalUpBlock(6, 6, 1, up), torch.randn(3, 6, 5, 5)
        torch.manual_seed(0)
        plain = UpBlock(6, 6, "batch", up)
        assert torch.allclose(block(x, torch.zeros(3).long()), plain(x), atol=1e-5)


def test_both_norms_of_a_conditional_up_block_know_the_class() -> None:
    torch.manual_seed(0)
    x = torch.randn(5, 6, 4, 4)
    for which in ("norm1", "norm2"):
        block = ConditionalUpBlock(6, 4, 3)
        told_apart(getattr(block, which))
        assert not torch.allclose(block(x, LABELS), block(x, LABELS.flip(0)), atol=1e-3)
    h = F.interpolate(F.relu(block.norm1(x, LABELS)), scale_factor=2)
    h = block.conv2(F.relu(block.norm2(block.conv1(h), LABELS)))
    assert torch.allclose(block(x, LABELS), h + F.interpolate(block.shortcut(x), scale_factor=2), atol=1e-5)
