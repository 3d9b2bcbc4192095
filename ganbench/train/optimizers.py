"""Optimizers by the names that recipes use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganbench.api import Recipe
from ganbench.train.names import plays


def learning_rate(player: str, recipe: Recipe) -> float:
    """The rate of a generator or a discriminator (`lr_G`, `lr_D`), or `lr`."""
    key = next((f"lr_{role}" for role in ("G", "D") if plays(role, player)), "lr")
    return float(recipe[key] if recipe.get(key) else recipe["lr"])


class FusedAdam(torch.optim.Adam):
    """Adam in one pass over memory. Its kernel for CPUs goes through memory as it lies, and would silently pair a
    gradient with the wrong weights where the two lie differently; here such a gradient is laid out anew first."""

    _warned_capturable_if_run_uncaptured = True  # torch would warn of every rehearsal of a graph

    def begin(self) -> None:
        """Make what it remembers now, not in the first step, where there is nothing yet."""
        for parameter in (p for group in self.param_groups for p in group["params"]):
            if not self.state[parameter]:
                zeros = {k: torch.zeros_like(parameter.detach()) for k in ("exp_avg", "exp_avg_sq")}
                self.state[parameter] = {"step": torch.zeros((), device=parameter.device), **zeros}

    def step(self, closure: Any = None) -> Any:
        """One update."""
        for group in self.param_groups:
            for parameter in group["params"]:
                grad = parameter.grad
                if grad is not None and grad.stride() != parameter.stride():
                    parameter.grad = torch.empty_like(parameter).copy_(grad)
        return super().step(closure)


def set_rates(optimizers: Mapping[str, torch.optim.Optimizer], recipe: Recipe, progress: float) -> None:
    """The learning rates at a share of the budget, where the recipe lets them decay."""
    if recipe["lr_decay"] == "linear":
        for player, optimizer in optimizers.items():
            for group in optimizer.param_groups:
                rate = learning_rate(player, recipe) * max(0.0, 1.0 - progress)
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(rate)
                else:
                    group["lr"] = rate


def make_optimizer(
    player: str, parameters: Sequence[nn.Parameter], recipe: Recipe, *, fused: bool = False, captured: bool = False
) -> torch.optim.Optimizer:
    """Adam, RMSprop or SGD over a player's parameters, in torch's plain form.

    fused: Adam in its fused form. captured: fused, and for a graph: the learning rate is a tensor on the device.
    """
    kind, lr, decay = recipe["optimizer"], learning_rate(player, recipe), recipe["weight_decay"]
    if kind == "adam":
        options = {"betas": tuple(recipe["betas"]), "eps": recipe["eps"], "weight_decay": decay}
        if captured:
            optimizer = FusedAdam(parameters, lr, fused=True, capturable=True, **options)
            for group in optimizer.param_groups:
                group["lr"] = torch.tensor(lr, device=parameters[0].device)
            return optimizer
        return (
            FusedAdam(parameters, lr, fused=True, **options) if fused else torch.optim.Adam(parameters, lr, **options)
        )
    if kind == "rmsprop":
        return torch.optim.RMSprop(parameters, lr, eps=recipe["eps"], weight_decay=decay, momentum=recipe["momentum"])
    return torch.optim.SGD(parameters, lr, momentum=recipe["momentum"], weight_decay=decay)
