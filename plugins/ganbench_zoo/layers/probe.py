"""A small classifier on features, trained to its optimum in one call: what a measurement asks of a representation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STEPS = 60
"""Iterations of L-BFGS; the convex case has then converged to three digits of accuracy."""


def fit(
    x: Tensor, y: Tensor, classes: int, start: torch.Generator, *, hidden: int = 0, penalty: float = 1e-3
) -> Callable[[Tensor], Tensor]:
    """Train on features `(N, width)` and labels `(N,)`; returns features → predicted labels.

    start: draws the first weights. hidden: units of one ReLU layer; 0 is multinomial logistic regression. penalty:
    times half the sum of the squared weights, features having mean 0 and standard deviation 1.
    """
    mean, scale = x.mean(0), x.std(0).clamp_min(1e-6)
    sizes = [x.shape[1], *([hidden] if hidden else []), classes]
    layers = [nn.Linear(a, b) for a, b in pairwise(sizes)]
    for layer in layers:
        nn.init.zeros_(layer.bias)
        nn.init.normal_(layer.weight, std=layer.in_features**-0.5, generator=start)
    network = (nn.Sequential(layers[0], nn.ReLU(), layers[1]) if hidden else nn.Sequential(layers[0])).to(x.device)
    inputs = (x - mean) / scale
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        weights = sum(layer.weight.square().sum() for layer in layers)
        value = F.cross_entropy(network(inputs), y) + penalty / 2 * weights
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(loss)

    def predict(x: Tensor) -> Tensor:
        with torch.no_grad():
            labels: Tensor = network((x - mean) / scale).argmax(1)
        return labels

    return predict


def accuracy(predict: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> float:
    """The share of features `(N, width)` whose label is predicted."""
    return float((predict(x) == y).double().mean())
