"""Self-attention over feature maps.  Zhang, Goodfellow, Metaxas & Odena 2019, arXiv:1805.08318, section 3.

    β_ji = softmax over i of f(x_i)ᵀ g(x_j)        y_j = x_j + γ v(Σ_i β_ji h(x_i))

f, g, h, v are 1×1 convolutions without biases, i and j places; f and g have an eighth of the channels. As in the
authors' code h has half of them, and f and h are pooled (2×2, the largest): a quarter of the work. γ is learnt and
starts from 0: the layer begins as the identity.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganbench_zoo.layers.initializers import xavier_init


def _pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 1, bias=False)
    xavier_init(layer)
    return layer


class SelfAttention(nn.Module):
    """Feature maps `(B, channels, H, W)`, H and W even, to maps of the same shape."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, half = max(channels // 8, 1), max(channels // 2, 1)
        self.keys, self.queries = _pointwise(channels, narrow), _pointwise(channels, narrow)
        self.values, self.output = _pointwise(channels, half), _pointwise(half, channels)
        self.gamma = nn.Parameter(torch.zeros(()))

    def weights(self, x: Tensor) -> Tensor:
        """How much each place attends to each pooled one, `(B, H·W, H·W / 4)`; rows add up to 1."""
        keys = F.max_pool2d(self.keys(x), 2).flatten(2)
        queries = self.queries(x).flatten(2)
        return (queries.transpose(1, 2) @ keys).softmax(2)

    def forward(self, x: Tensor) -> Tensor:
        """The maps, and what they attend to."""
        values = F.max_pool2d(self.values(x), 2).flatten(2)
        seen = (values @ self.weights(x).transpose(1, 2)).unflatten(2, x.shape[2:])
        return x + self.gamma * self.output(seen)
