"""A game's probes: named measurements while it trains, which disturb nothing."""

from __future__ import annotations

import copy

import torch

from ganbench.api import Batch
from ganbench.plan.seeds import derive
from ganbench.train.draws import seed_default
from ganbench.train.engine import Engine
from ganbench.train.names import Call


@torch.no_grad()
def measure_probes(engine: Engine) -> dict[str, float]:
    """Each probe on the next real batch, by copies of the players in evaluation mode."""
    if not engine.game.probes:
        return {}
    batch, cycle = engine.recipe["batch_size"], engine.counters["cycles"]
    reals: dict[str, Batch] = {}
    for name, stream in engine.streams.items():
        reals[name] = stream.next(batch)
        stream.position -= batch
    latents = engine.latents.draw(batch, "probe", cycle)
    seed_default(derive(engine.seed, "probe", cycle), engine.device)
    views = engine.views_of({n: copy.deepcopy(net).eval() for n, net in engine.nets.items()})
    known = engine.context | {"nets": views, "D": views.get("D"), "G": views.get("G")}
    known |= {"reals": reals, "latents": latents}
    return {name: float(Call(probe)(known)) for name, probe in engine.game.probes.items()}
