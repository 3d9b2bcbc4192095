"""The players of a game: networks built under their seeds, what of them is trained, and by which optimizers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import nn

from ganbench.api import Game, Recipe
from ganbench.plan.modes import Mode
from ganbench.plan.seeds import derive
from ganbench.train.draws import seed_default
from ganbench.train.optimizers import make_optimizer
from ganbench.train.parts import Part


def build_nets(game: Game, parts: Iterable[Part], seed: int, device: torch.device, mode: Mode) -> dict[str, nn.Module]:
    """Each player's network on the device, wrapped as components ask for. Torch's default generators are seeded anew
    before each."""
    nets: dict[str, nn.Module] = {}
    for player, maker in game.players.items():
        for part in parts:
            if hasattr(part.module, "wrap"):
                maker = part.module.wrap(player, maker)
        seed_default(derive(seed, "initialisation", player), device)
        nets[player] = maker().to(device)
        if mode.channels_last:
            nets[player].to(memory_format=torch.channels_last)
    return nets


def trained_parameters(
    movers: set[str], nets: Mapping[str, nn.Module], components: Mapping[str, nn.Module]
) -> dict[str, list[nn.Parameter]]:
    """What can be trained of each player and of each component that a turn moves."""
    modules = {**components, **nets}
    if unknown := movers - set(modules):
        raise ValueError(f"turns move {', '.join(sorted(unknown))}, which the game does not have")
    return {n: [p for p in modules[n].parameters() if p.requires_grad] for n in sorted(movers | set(nets))}


def make_optimizers(
    movers: set[str], parameters: Mapping[str, list[nn.Parameter]], recipe: Recipe, mode: Mode
) -> dict[str, torch.optim.Optimizer]:
    """An optimizer for each mover that has something to train."""
    return {
        n: make_optimizer(n, parameters[n], recipe, fused=mode.fused_optimizer, captured=mode.captured)
        for n in sorted(movers)
        if parameters[n]
    }
