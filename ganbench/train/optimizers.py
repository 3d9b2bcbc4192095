"""Optimizers by the names that recipes use."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from ganbench.api import Recipe
from ganbench.train.names import plays


def learning_rate(player: str, recipe: Recipe) -> float:
    """The rate of a generator or a discriminator (`lr_G`, `lr_D`), or `lr`."""
    key = next((f"lr_{role}" for role in ("G", "D") if plays(role, player)), "lr")
    return float(recipe[key] if recipe.get(key) else recipe["lr"])


def make_optimizer(player: str, parameters: Iterable[nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """Adam, RMSprop or SGD over a player's parameters, in torch's plain (not fused) form."""
    kind, lr, decay = recipe["optimizer"], learning_rate(player, recipe), recipe["weight_decay"]
    if kind == "adam":
        return torch.optim.Adam(parameters, lr, betas=tuple(recipe["betas"]), eps=recipe["eps"], weight_decay=decay)
    if kind == "rmsprop":
        return torch.optim.RMSprop(parameters, lr, eps=recipe["eps"], weight_decay=decay, momentum=recipe["momentum"])
    return torch.optim.SGD(parameters, lr, momentum=recipe["momentum"], weight_decay=decay)
