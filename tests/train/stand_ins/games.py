"""Games that are not generator against discriminator: one player, four, an encoder, K + 1 classes, growing players."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench import Batch, Game, GameBuilder, Recipe, SampleSpec, Turn

from .base import IMAGES, LABELLED, Discriminator, Generator, StandIn
from .labels import Classifying


def made(nets: Any, latents: Batch) -> Batch:
    """G's samples."""
    return nets["G"].make(latents)


def gmmn(spec: SampleSpec, recipe: Recipe) -> Game:
    """GMMN, arXiv:1502.02761: one player and a kernel."""

    def discrepancy(G: Any, real: Batch, latents: Batch) -> dict[str, Tensor]:
        x = torch.cat([real.x, G.make(latents).x]).flatten(1)
        sign = torch.ones(len(x), device=x.device)
        sign[len(real.x) :] = -1
        return {"mmd": (torch.exp(-torch.cdist(x, x).square()) * sign[:, None] * sign).mean()}

    return Game({"G": lambda: Generator(spec, recipe)}, (Turn("G", ("G",), discrepancy),), made)


class Translator(nn.Module):
    """From one domain to the other."""

    def __init__(self, spec: SampleSpec) -> None:
        super().__init__()
        self.net = nn.Linear(spec.shape[0], spec.shape[0])

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).tanh()


def cyclegan(spec: SampleSpec, recipe: Recipe) -> Game:
    """CycleGAN, arXiv:1703.10593: two translators, two critics, two data sets."""

    def translators(nets: Any, reals: Any) -> dict[str, Tensor]:
        terms = {}
        for a, b in ("AB", "BA"):
            there = nets[f"G_{a}{b}"].make(reals[a])
            back = nets[f"G_{b}{a}"].make(there)
            terms[f"adversarial-{b}"] = (nets[f"D_{b}"](there) - 1).square()
            terms[f"cycle-{a}"] = 10 * (back.x - reals[a].x).abs()
        return terms

    def critics(nets: Any, reals: Any) -> dict[str, Tensor]:
        return {
            d: (nets[f"D_{d}"](reals[d]) - 1).square() + nets[f"D_{d}"](nets[f"G_{s}{d}"].make(reals[s])).square()
            for s, d in ("AB", "BA")
        }

    players = {f"G_{way}": lambda: Translator(spec) for way in ("AB", "BA")}
    players |= {f"D_{domain}": lambda: Discriminator(spec, recipe) for domain in "AB"}
    return Game(
        players,
        (Turn("G", ("G_AB", "G_BA"), translators), Turn("D", ("D_A", "D_B"), critics, draws=False)),
        lambda nets, reals: nets["G_AB"].make(reals["A"]),
        streams=("A", "B"),
        averaged=("G_AB", "G_BA"),
    )


class Encoder(nn.Module):
    """From samples to latents."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.net = nn.Linear(spec.shape[0], recipe["latent"])

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Joint(Discriminator):
    """Judges a sample together with its latents."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec.but(shape=(spec.shape[0] + recipe["latent"],)), recipe)

    def forward(self, x: Tensor, z: Tensor) -> Any:
        return super().forward(torch.cat([x, z], 1))


def ali(spec: SampleSpec, recipe: Recipe) -> Game:
    """ALI, arXiv:1606.00704: G and an encoder against one judge of pairs."""

    def pairs(nets: Any, G: Any, real: Batch, latents: Batch) -> tuple[Batch, Batch]:
        return real.but(z=nets["E"].make(real).x), G.make(latents)

    def judge(D: Any, nets: Any, G: Any, real: Batch, latents: Batch) -> dict[str, Tensor]:
        encoded, fake = pairs(nets, G, real, latents)
        return {"ali": F.softplus(-D(encoded)) + F.softplus(D(fake))}

    def players(D: Any, nets: Any, G: Any, real: Batch, latents: Batch) -> dict[str, Tensor]:
        encoded, fake = pairs(nets, G, real, latents)
        return {"ali": F.softplus(D(encoded)) + F.softplus(-D(fake))}

    kinds = {"G": Generator, "E": Encoder, "D": Joint}
    nets = {name: lambda kind=kind: kind(spec, recipe) for name, kind in kinds.items()}
    return Game(nets, (Turn("D", ("D",), judge), Turn("G", ("G", "E"), players, draws=False)), made)


def sgan(spec: SampleSpec, recipe: Recipe) -> Game:
    """SGAN, arXiv:1606.01583: K + 1 classes, a label for every third sample, and a probe of the accuracy."""

    def judge(D: Any, G: Any, real: Batch, latents: Batch) -> dict[str, Tensor]:
        said, invented = D.answer(real).classes, D.answer(G.make(latents)).classes
        known = (real.extra["index"] % 3 == 0).float()
        label = F.cross_entropy(said, real.y, reduction="none") * known
        not_fake = -(1 - said.softmax(1)[:, -1]).clamp(min=1e-6).log()
        return {"label": label, "real": not_fake, "fake": -invented.log_softmax(1)[:, -1]}

    def fool(D: Any, G: Any, latents: Batch) -> dict[str, Tensor]:
        return {"fool": D.answer(G.make(latents)).classes.softmax(1)[:, -1]}

    def accuracy(nets: Any, reals: Any, latents: Batch) -> float:
        found = nets["D"].answer(reals["A"]).classes[:, :-1].argmax(1)
        return (found == reals["A"].y).float().mean().item()

    nets = {"G": lambda: Generator(spec, recipe), "D": lambda: Classifying(spec, recipe)}
    turns = (Turn("D", ("D",), judge), Turn("G", ("G",), fool, draws=False))
    return Game(nets, turns, made, probes={"accuracy": accuracy})


def coarse(x: Tensor, stage: int, blend: float) -> Tensor:
    """Images at 4 pixels (stage 0), or 8 (stage 1) faded in by `blend`; the size itself stays 8."""
    low = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2.0)
    return low if stage == 0 else torch.lerp(low, x, blend)


class Growing(nn.Module):
    """Stage and blend follow the progress: in a network as in what stands before D."""

    stage, blend = 0, 0.0

    def at_step(self, step: int, progress: float) -> None:
        self.stage, self.blend = int(progress >= 0.25), min(1.0, max(0.0, 4 * progress - 1))


class GrowingGenerator(Growing):
    """ProGAN's G, arXiv:1710.10196: a second block joins at stage 1."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.low, self.high = Generator(spec, recipe), Generator(spec, recipe)

    def forward(self, z: Tensor) -> Tensor:
        low = coarse(self.low(z), 0, 0.0)
        return low if self.stage == 0 else torch.lerp(low, self.high(z), self.blend)


class GrowingData(Growing):
    """Real and generated images at the resolution of the stage."""

    def view(self, batch: Batch) -> Batch:
        return batch.but(x=coarse(batch.x, self.stage, self.blend))


def progan(spec: SampleSpec, recipe: Recipe) -> Game:
    """ProGAN: players and data that grow."""

    def judge(D: Any, G: Any, real: Batch, latents: Batch) -> dict[str, Tensor]:
        return {"ns": F.softplus(-D(real)) + F.softplus(D(G.make(latents)))}

    def fool(D: Any, G: Any, latents: Batch) -> dict[str, Tensor]:
        return {"ns": F.softplus(-D(G.make(latents)))}

    nets = {"G": lambda: GrowingGenerator(spec, recipe), "D": lambda: Discriminator(spec, recipe)}
    turns = (Turn("D", ("D",), judge), Turn("G", ("G",), fool, draws=False))
    return Game(nets, turns, made, components={"data": GrowingData()}, chains={"D": ("data",)})


EMA = {"ema_half_life": 100.0}

CASES = [
    StandIn("gmmn", game=GameBuilder("gmmn", gmmn)),
    StandIn("cyclegan", game=GameBuilder("cyclegan", cyclegan), settings=EMA),
    StandIn("ali", game=GameBuilder("ali", ali)),
    StandIn("sgan", game=GameBuilder("sgan", sgan), spec=LABELLED),
    StandIn("progan", game=GameBuilder("progan", progan), spec=IMAGES, dtype=torch.uint8, settings=EMA),
]
