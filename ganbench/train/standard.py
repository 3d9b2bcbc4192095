"""The standard game: a generator against a discriminator, from an architecture, a loss and further components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganbench.api import Architecture, Batch, Game, Recipe, SampleSpec, Turn
from ganbench.train.parts import Part
from ganbench.train.shapes import hold_values

Context = Mapping[str, Any]


def two_player(
    architecture: Architecture, parts: Sequence[Part], spec: SampleSpec, recipe: Recipe, *, shared_fake: bool = False
) -> Game:
    """D moves `recipe["d_steps"]` times, each on a new real batch; then G moves once and sees the last one again.

    shared_fake: G sees the generated samples of D's last step again, too, instead of making new ones.
    """
    seen_by_d = spec
    for part in parts:
        if hasattr(part.module, "sees"):
            seen_by_d = part.module.sees(seen_by_d)
    chain = tuple(p.name for p in sorted((p for p in parts if "view" in p.hooks), key=lambda p: p.order))
    heads = {turn: tuple(p.name for p in parts if turn in p.heads) for turn in ("D", "G")}

    def sample(nets: Mapping[str, Any], latents: Batch, context: Context) -> Batch:
        for part in parts:
            if "inputs" in part.hooks:
                latents = part.hooks["inputs"]({**context, "batch": latents, "latents": latents, "own": part.module})
        made: Batch = nets["G"].make(latents)
        return made

    shared: list[Batch] | None = [] if shared_fake else None
    return Game(
        players={
            "G": lambda: architecture.generator(spec, recipe),
            "D": lambda: architecture.discriminator(seen_by_d, recipe),
        },
        turns=(
            Turn("D", ("D", *heads["D"]), _objective("D", parts, shared), times=recipe["d_steps"]),
            Turn("G", ("G", *heads["G"]), _objective("G", parts, shared), draws=False, makes=not shared_fake),
        ),
        sample=sample,
        components={p.name: p for p in parts},
        chains={"D": chain},
    )


def _objective(turn: str, parts: Sequence[Part], shared: list[Batch] | None) -> Any:

    def objective(context: Context) -> dict[str, Tensor]:
        known: dict[str, Any] = {**context, "turn": turn}
        for part in parts:
            if "latents" in part.hooks:
                known["latents"] = part.hooks["latents"]({**known, "batch": known["latents"], "own": part.module})
        if shared is None or (turn == "D" and not context["last"]):
            known["fake"] = known["G"].make(known["latents"])
        elif turn == "D":
            shared[:] = [_with_graph(known)]
            assert shared[0].x is not None
            known["fake"] = shared[0].but(x=shared[0].x.detach())
        else:
            known["fake"] = shared.pop()
            known["latents"] = known["fake"].but(x=None, origin="latent")
        if turn != "D":
            for part in parts:
                if "opponent" in part.hooks:
                    loss = partial(_loss_of, parts, dict(known))
                    known["D"] = part.hooks["opponent"]({**known, "own": part.module, "loss": loss})
        return _values(turn, parts, known)

    return objective


def _values(turn: str, parts: Sequence[Part], known: Context) -> dict[str, Tensor]:
    """The terms of a turn, weighed."""
    side, values = "discriminator" if turn == "D" else "generator", dict[str, Tensor]()
    for part in (*parts[1:], *parts[:1]):  # penalties first: a slope's forward pass is the one that the loss reads, too
        if (term := getattr(part, side)) is None or known["count"] % part.every:
            continue
        value = term({**known, "own": part.module})
        hold_values(turn, part.name, value)
        for other in (p for p in parts if "weigh" in p.hooks):
            value = other.hooks["weigh"]({**known, "name": part.name, "values": value, "own": other.module})
        scale = part.weight * part.every
        values[part.name] = value if scale == 1.0 else scale * value
    return values


def _loss_of(parts: Sequence[Part], known: Context, view: Any) -> Tensor:
    """What D would minimise on the batches of a turn of G, if it were another view of it."""
    told = {**known, "turn": "D", "D": view, "nets": {**known["nets"], "D": view}}
    return torch.stack([value.mean() for value in _values("D", parts, told).values()]).sum()


def _with_graph(known: Context) -> Batch:
    """Samples that G's turn can learn from, made while it is D's."""
    with known["engine"].freezer.thawed("G"):
        made: Batch = known["G"].make(known["latents"])
    return made
