"""What a stand-in is, the tiny networks and data it is played with, and how an engine is made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench import Answer, Architecture, Component, Game, GameBuilder, Loss, Recipe, SampleSpec
from ganbench.plan.modes import find_mode
from ganbench.plan.recipe import Layer, resolve
from ganbench.plan.seeds import derive
from ganbench.train import Engine, build_parts, two_player
from ganbench.train.draws import Latents, Stream, label_frequencies, seed_default
from ganbench.train.modes import narrowed

POINTS = SampleSpec((2,), modality="points")
LABELLED = POINTS.but(classes=3)
IMAGES = SampleSpec((1, 8, 8))
WIDTH = 16
SETTINGS = {"batch_size": 16, "latent": 4, "lr": 0.01}


class Generator(nn.Module):
    """Latents `(B, latent)`, and labels where the data has them, to samples `(B, *shape)` in [-1, 1]."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.shape, self.first = spec.shape, nn.Linear(recipe["latent"], WIDTH)
        self.label = nn.Embedding(spec.classes, WIDTH) if spec.classes else None
        self.last = nn.Linear(WIDTH, math.prod(spec.shape))

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        hidden = self.first(z) if self.label is None else self.first(z) + self.label(y)
        return self.last(F.leaky_relu(hidden, 0.2)).tanh().unflatten(1, self.shape)


class Discriminator(nn.Module):
    """Samples to a logit, and the features before it."""

    width = WIDTH

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.first = nn.Linear(math.prod(spec.shape), WIDTH)
        self.last = nn.Linear(WIDTH, 1, bias=False)  # differences of logits would leave a bias without a gradient

    def forward(self, x: Tensor) -> Answer:
        features = F.leaky_relu(self.first(x.flatten(1)), 0.2)
        return Answer(logit=self.last(features)[:, 0], features=features)


TOY = Architecture("toy", Generator, Discriminator, offers=("features", "per-sample-D"))


def _d(D: Any, real: Any, fake: Any) -> Tensor:
    return F.softplus(-D(real)) + F.softplus(D(fake))


def _g(D: Any, fake: Any) -> Tensor:
    return F.softplus(-D(fake))


NON_SATURATING = Loss("ns", _d, _g)
WASSERSTEIN = Loss("w", lambda D, real, fake: D(fake) - D(real), lambda D, fake: -D(fake))


@dataclass(frozen=True)
class StandIn:
    """One hard case: an architecture with components, or a game of its own.

    settings: what its recipe decides. told: sample inputs that a subject wants to see, checked by its own tests.
    """

    name: str
    loss: Component = NON_SATURATING
    others: tuple[Component, ...] = ()
    architecture: Architecture = TOY
    spec: SampleSpec = POINTS
    dtype: torch.dtype = torch.float32
    settings: Mapping[str, Any] = field(default_factory=dict)
    game: GameBuilder | None = None
    change: Callable[[Game], Game] = lambda game: game

    def recipe(self, **settings: Any) -> Recipe:
        """Resolved as `ganbench run` resolves it."""
        subject = self.game or self.architecture
        parts = [] if self.game else [(c.name, c) for c in self.others]
        resolved = resolve(
            (subject.name, subject.recipe),
            None if self.game else (self.loss.name, self.loss),
            parts,
            [Layer("suite", SETTINGS), Layer("preset", self.settings), Layer("--set", settings)],
        )
        return Recipe({key: entry["value"] for key, entry in resolved.items()})

    def engine(self, seed: int = 0, device: str = "cpu", mode: str = "reference", **settings: Any) -> Engine:
        """A fresh engine. seed: of initialisation and draws; data and latents have seeds of their own."""
        recipe, place = self.recipe(**settings), torch.device(device)

        def seed_for(name: str) -> None:
            seed_default(derive(seed, "initialisation", "component", name), torch.device("cpu"))

        if self.game:
            seed_for("game")
            game = self.game.build(self.spec, recipe)
            able = narrowed(find_mode(mode), recipe, game, place)
        else:
            parts = build_parts([self.loss, *self.others], self.spec, recipe, seed_for)
            able = narrowed(find_mode(mode), recipe, parts, place)
            game = two_player(self.architecture, parts, self.spec, recipe, shared_fake=able.shared_fake)
        streams = {name: stream(self.spec, self.dtype, name, place) for name in game.streams}
        labels = next(iter(streams.values())).labels
        shares = label_frequencies(labels.cpu(), self.spec.classes) if self.spec.classes and device == "cpu" else None
        if self.spec.classes and shares is None:
            shares = torch.ones(self.spec.classes)
        latents = Latents(recipe, 2, place, shares)
        return Engine(self.change(game), recipe, self.spec, streams, latents, seed=seed, device=place, mode=able)


def stream(spec: SampleSpec, dtype: torch.dtype, name: str, device: torch.device, count: int = 72) -> Stream:
    """Made-up data in its declared form, the same whenever it is asked for."""
    generator = torch.Generator().manual_seed(derive(1, "made", name))
    x = torch.rand((count, *spec.shape), generator=generator)
    if dtype == torch.uint8:
        stored = (x * 256).to(dtype)
    elif dtype == torch.int16:
        stored = (x * 65535 - 32768).to(dtype)
    else:
        low, high = spec.range or (-1.0, 1.0)
        stored = low + (high - low) * x
    y = torch.randint(spec.classes, (count,), generator=generator).to(device) if spec.classes else None
    return Stream(stored.to(device), y, spec, derive(3, name))


def train(engine: Engine, until: int, total: int = 8) -> None:
    """Cycles up to a count."""
    while engine.counters["cycles"] < until:
        engine.cycle(engine.counters["cycles"] / total)
