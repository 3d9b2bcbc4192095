"""Turns that look ahead: unrolling (both kinds), latent optimisation, extra-gradient."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import torch
from torch.nn import functional as F

from ganbench import Game, Regularizer

from .base import NON_SATURATING, StandIn
from .between import Bare


class Surrogate(Bare):
    """G plays against D as it will be after two more steps, without differentiating through them."""

    def around(self, turn: str, engine: Any) -> AbstractContextManager[None] | None:
        return engine.inner("D", 2) if turn == "G" else None


class Unrolled(Bare):
    """Unrolled GAN, arXiv:1611.02163: two plain gradient steps of D, and G's gradient runs through them."""

    def opponent(self, D: Any, real: Any, fake: Any) -> Any:
        weights = {name: p.detach().requires_grad_() for name, p in D.net.named_parameters()}
        for _ in range(2):
            ahead = D.using(weights)
            loss = (F.softplus(-ahead(real)) + F.softplus(ahead(fake))).mean()
            slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
            weights = {name: w - 0.1 * g for (name, w), g in zip(weights.items(), slopes, strict=True)}
        return D.using(weights)


class Climbing(Bare):
    """LOGAN, arXiv:1912.00953: latents take a step uphill in D(G(z)), and both players' gradients run through it."""

    def latents(self, batch: Any, D: Any, G: Any) -> Any:
        def score(z: Any) -> Any:
            return D(G.make(batch.but(z=z)).but(origin="view"))

        return batch.but(z=batch.z + 0.9 * D.gradient(score, batch.z))


class Extrapolation(Bare):
    """Extra-gradient, arXiv:1802.10551: each player's gradient is taken where one joint step would lead."""

    def around(self, turn: str, engine: Any) -> AbstractContextManager[None]:
        return engine.inner(("D", "G"), 1)


def simultaneous(game: Game) -> Game:
    """The same turns, every gradient before anyone moves."""
    return replace(game, turns=(game.turns,))


SURROGATE = Regularizer("surrogate", build=Surrogate)
UNROLLED = Regularizer("unrolled", build=Unrolled)
CLIMBING = Regularizer("climbing", build=Climbing)
EXTRAPOLATION = Regularizer("extrapolation", build=Extrapolation)

CASES = [
    StandIn("unrolled-surrogate", others=(SURROGATE,)),
    StandIn("unrolled", NON_SATURATING, (UNROLLED,)),
    StandIn("latent-optimisation", others=(CLIMBING,)),
    StandIn("simultaneous", change=simultaneous),
    StandIn("extra-gradient", others=(EXTRAPOLATION,), change=simultaneous),
]
