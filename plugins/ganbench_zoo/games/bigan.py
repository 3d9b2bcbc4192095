"""BiGAN and ALI, GANs with an encoder.  Donahue et al. 2017, arXiv:1605.09782; Dumoulin et al. 2017, arXiv:1606.00704.

E leads from samples to latents, and D tells pairs of a real sample and its code from pairs of latents and what G makes
of them:

    L_D   = E[softplus(-D(x, E(x)))] + E[softplus(D(G(z), z))]
    L_G,E = E[softplus(D(x, E(x)))] + E[softplus(-D(G(z), z))]

At the optimum G and E invert each other. BiGAN's E is deterministic; ALI's draws from N(μ(x), σ²(x)), and gives μ(x)
where it is measured. The probe `reconstruction` is the mean of (G(E(x)) - x)² over the values of a batch of real ones.

Networks are as in DCGAN; D appends z to what it makes of x, as ALI's does. z is uniform for BiGAN and normal for ALI,
as published; the weight decay and the dropout of the papers are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganbench import Batch, Game, GameBuilder, Recipe, SampleSpec, Turn, hookimpl
from ganbench_zoo.layers.coders import decoder, encoder


class Encoder(nn.Module):
    """Samples `(B, *spec.shape)` to latents `(B, latent)`; with `stochastic` drawn from a Gaussian while it trains."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.stochastic: bool = recipe["stochastic"]
        outputs = recipe["latent"] * (2 if self.stochastic else 1)
        self.layers = encoder(spec, outputs, recipe["width"], recipe["norm_E"])

    def forward(self, x: Tensor) -> Tensor:
        """One code for each sample."""
        if not self.stochastic:
            return self.layers(x)
        mean, log_variance = self.layers(x).chunk(2, 1)
        return mean + (0.5 * log_variance).exp() * torch.randn_like(mean) if self.training else mean


class Discriminator(nn.Module):
    """Pairs of samples `(B, *spec.shape)` and latents `(B, latent)` to logits `(B,)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        hidden = 8 * recipe["width"]
        self.sample = nn.Sequential(encoder(spec, hidden, recipe["width"], recipe["norm_D"]), nn.LeakyReLU(0.2))
        self.pair = nn.Sequential(nn.Linear(hidden + recipe["latent"], hidden), nn.LeakyReLU(0.2))
        self.output = nn.Linear(hidden, 1)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """One logit for each pair."""
        return self.output(self.pair(torch.cat([self.sample(x), z], 1))).squeeze(1)


def build(spec: SampleSpec, recipe: Recipe) -> Game:
    """G and E against a judge of pairs."""

    def pairs(nets: Any, real: Any, latents: Batch) -> tuple[Batch, Batch]:
        return real.but(z=nets["E"].make(real).x), nets["G"].make(latents)

    def judge(D: Any, nets: Any, real: Any, latents: Batch) -> dict[str, Tensor]:
        encoded, made = pairs(nets, real, latents)
        return {"real": F.softplus(-D(encoded)), "fake": F.softplus(D(made))}

    def fool(D: Any, nets: Any, real: Any, latents: Batch) -> dict[str, Tensor]:
        encoded, made = pairs(nets, real, latents)
        return {"real": F.softplus(D(encoded)), "fake": F.softplus(-D(made))}

    def sample(G: Any, latents: Batch) -> Batch:
        made: Batch = G.make(latents)
        return made

    def reconstruction(nets: Any, reals: Any) -> Tensor:
        real = reals["A"]
        again = nets["G"].make(Batch(z=nets["E"].make(real).x))
        return (again.x - real.x).square().mean()

    players = {
        "G": lambda: decoder(spec, recipe["latent"], recipe["width"], recipe["norm_G"]),
        "E": lambda: Encoder(spec, recipe),
        "D": lambda: Discriminator(spec, recipe),
    }
    turns = (Turn("D", ("D",), judge, times=recipe["d_steps"]), Turn("G", ("G", "E"), fool, draws=False))
    return Game(players, turns, sample, averaged=("G", "E"), probes={"reconstruction": reconstruction})


@hookimpl
def ganbench_games() -> Iterator[GameBuilder]:
    """Both of them."""
    shared = Recipe(width=64, norm_G="batch", norm_E="batch", norm_D="none", betas=(0.5, 0.999), batch_size=128)
    yield GameBuilder(
        "bigan",
        build,
        recipe=Recipe(shared, stochastic=False, latent=50, prior="uniform", lr=2e-4),
        paper="arXiv:1605.09782",
    )
    yield GameBuilder(
        "ali",
        build,
        recipe=Recipe(shared, stochastic=True, latent=64, lr=1e-4),
        paper="arXiv:1606.00704",
    )
