"""Self-attention against the paper's sums, place by place."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ganbench_zoo.layers.self_attention import SelfAttention


def test_each_place_adds_what_it_attends_to() -> None:
    torch.manual_seed(0)
    layer, x = SelfAttention(16), torch.randn(2, 16, 4, 6)
    torch.nn.init.constant_(layer.gamma, 0.7)
    f, g, h, v = (m.weight[:, :, 0, 0] for m in (layer.keys, layer.queries, layer.values, layer.output))
    assert [len(m) for m in (f, g, h, v)] == [2, 2, 8, 16]
    y = layer(x)
    for sample in range(2):
        maps = x[sample]
        keys = F.max_pool2d(torch.einsum("oc,chw->ohw", f, maps), 2).flatten(1).T
        values = F.max_pool2d(torch.einsum("oc,chw->ohw", h, maps), 2).flatten(1).T
        for row in range(4):
            for column in range(6):
                place = maps[:, row, column]
                scores = torch.stack([torch.dot(key, g @ place) for key in keys]).exp()
                attended = sum(s * value for s, value in zip(scores / scores.sum(), values, strict=True))
                assert torch.allclose(y[sample, :, row, column], place + 0.7 * (v @ attended), atol=1e-5)


def test_attention_begins_as_the_identity_and_learns_not_to_be() -> None:
    layer, x = SelfAttention(8), torch.randn(2, 8, 4, 4)
    assert torch.equal(layer(x), x)
    layer(x).square().sum().backward()
    assert layer.gamma.grad != 0


def test_the_weights_of_a_place_add_up_to_one() -> None:
    weights = SelfAttention(8).weights(torch.randn(2, 8, 4, 4) * 10)
    assert weights.shape == (2, 16, 4)
    assert torch.allclose(weights.sum(2), torch.ones(2, 16))


def test_a_far_place_is_seen() -> None:
    """The gradient at one corner reaches the other, which no convolution of its size does."""
    layer, x = SelfAttention(8), torch.randn(1, 8, 8, 8, requires_grad=True)
    torch.nn.init.constant_(layer.gamma, 1.0)
    layer(x)[0, :, 0, 0].sum().backward()
    assert x.grad[0, :, 6:, 6:].abs().max() > 0


def test_a_penalty_may_differentiate_it_twice() -> None:
    layer, x = SelfAttention(8).double(), torch.randn(1, 8, 4, 4, dtype=torch.float64, requires_grad=True)
    torch.nn.init.constant_(layer.gamma, 1.0)
    assert torch.autograd.gradgradcheck(layer, x)
