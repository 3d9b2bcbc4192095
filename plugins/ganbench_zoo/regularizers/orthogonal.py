"""Orthogonal regularization of G's weights.  Brock, Donahue & Simonyan 2019, arXiv:1809.11096 (BigGAN), eq. 3.

    β Σ ‖W Wᵀ ⊙ (1 - I)‖²_F,    β = 10⁻⁴

over every convolution and linear layer of G, W as the matrix (outputs, inputs · kernel) and 1 all ones: its rows, the
filters, are to be orthogonal, of whatever norm. In BigGAN more of the trained G bear truncated latents by it. A weight
that spectral norm divides counts as it was before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ganbench import Recipe, Regularizer, hookimpl
from ganbench_zoo.layers.initializers import CONVOLUTIONS

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def filters(module: Any) -> Tensor:
    """A layer's weight as `(outputs, inputs · kernel)`."""
    weight: Tensor = (
        module.weight if not parametrize.is_parametrized(module) else module.parametrizations.weight.original
    )
    if isinstance(module, TRANSPOSED):  # (inputs, outputs / groups, …)
        weight = weight.unflatten(0, (module.groups, -1)).transpose(1, 2).flatten(0, 1)
    return weight.flatten(1)


def overlap(w: Tensor) -> Tensor:
    """The sum of the squared products of all pairs of different rows of `(rows, n)`, a scalar.

    Where there are more rows than columns, by ‖W Wᵀ‖_F = ‖Wᵀ W‖_F and without the larger matrix.
    """
    rows, n = w.shape
    if rows <= n:
        products = w @ w.T
        return (products - products.diag().diag()).square().sum()
    return (w.T @ w).square().sum() - w.square().sum(1).square().sum()


def generator(G: Any) -> Tensor:
    """The overlaps of the filters of all layers, a scalar."""
    layers = [m for m in G.net.modules() if isinstance(m, (*CONVOLUTIONS, nn.Linear))]
    return torch.stack([overlap(filters(layer)) for layer in layers]).sum()


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Orthogonal regularization, without the diagonal."""
    yield Regularizer(
        "orthogonal", generator=generator, recipe=Recipe({"orthogonal.weight": 1e-4}), paper="arXiv:1809.11096"
    )
