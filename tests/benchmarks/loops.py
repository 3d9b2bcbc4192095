"""Two sides of a comparison: ganbench's engine in a mode, and a plain hand-written loop with the same networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ganbench import Recipe, SampleSpec
from ganbench.plan.entries import Wishes, alone
from ganbench.plan.modes import find_mode
from ganbench.plan.suite import EntrySet
from ganbench.plugins import Registry
from ganbench.train import Engine
from ganbench.train.device import synchronize
from ganbench.train.draws import Latents, Stream
from ganbench.train.setup import Asked, assemble

DATA = 2_000
Steps = Callable[[], None]


@dataclass(frozen=True)
class Contest:
    """What both sides train, with Adam. steps: cycles of a round. loss: `plain` knows the non-saturating one,
    `plain_wgan_gp` that of its name."""

    architecture: str
    spec: SampleSpec
    steps: int
    settings: dict[str, Any] = field(default_factory=dict)
    loss: str = "non-saturating"
    device: str = "cpu"

    def engine(self, registry: Registry, mode: str = "reference", *, resident: bool = True, seed: int = 0) -> Engine:
        """A fresh engine on made-up data. resident: the data lies where it is used, and is not loaded ahead. seed: of
        all that is drawn."""
        group = EntrySet((self.architecture,), (self.loss,), recipe={})
        (entry,) = alone(registry, self.spec, group, Wishes(settings={"batch_size": 64, **self.settings}))
        recipe = Recipe({k: v["value"] for k, v in entry.recipe.items()})
        asked = Asked(entry.description, entry.components, recipe, self.spec, find_mode(mode))
        generator = torch.Generator().manual_seed(0)
        if self.spec.modality == "image":
            data = torch.randint(256, (DATA, *self.spec.shape), generator=generator, dtype=torch.uint8)
        else:
            data = torch.randn((DATA, *self.spec.shape), generator=generator)
        place = torch.device(self.device)
        where = (data.to(place), None) if resident else (data, place)
        streams = {"A": Stream(where[0], None, self.spec, seed, where[1])}
        return assemble(asked, registry, streams, Latents(recipe, seed, place, None), seed, place)

    def ours(self, registry: Registry, mode: str, *, resident: bool = True) -> Steps:
        """The engine's cycles."""
        engine = self.engine(registry, mode, resident=resident)

        def steps() -> None:
            for _ in range(self.steps):
                engine.cycle()
            synchronize(engine.device)

        return steps

    def plain(self, registry: Registry, *, freeze: bool = True) -> Steps:
        """What a researcher writes: no abstraction, losses left on the device. freeze: with D frozen while G learns, as
        a careful one does; tutorials let G's step compute D's gradients too, and throw them away."""
        engine = self.engine(registry)  # for its freshly made networks and its data only
        generator, discriminator, recipe = engine.nets["G"], engine.nets["D"], engine.recipe
        data, batch = engine.streams["A"].stored, recipe["batch_size"]
        options = {"lr": recipe["lr"], "betas": recipe["betas"]}
        optimizer_g = torch.optim.Adam(generator.parameters(), **options)
        optimizer_d = torch.optim.Adam(discriminator.parameters(), **options)
        order, position = torch.randperm(len(data), device=self.device), 0

        def steps() -> None:
            nonlocal position
            for _ in range(self.steps):
                index = order[position : position + batch]
                position = (position + batch) % (len(data) - batch)
                real = data[index].float() / 127.5 - 1 if data.dtype == torch.uint8 else data[index]
                for parameter in discriminator.parameters():
                    parameter.requires_grad_(True)
                with torch.no_grad():
                    fake = generator(torch.randn(batch, recipe["latent"], device=self.device))
                loss = F.softplus(-logits(discriminator, real)).mean() + F.softplus(logits(discriminator, fake)).mean()
                optimizer_d.zero_grad(set_to_none=True)
                loss.backward()
                optimizer_d.step()
                for parameter in discriminator.parameters():
                    parameter.requires_grad_(not freeze)
                loss = F.softplus(
                    -logits(discriminator, generator(torch.randn(batch, recipe["latent"], device=self.device)))
                ).mean()
                optimizer_g.zero_grad(set_to_none=True)
                loss.backward()
                optimizer_g.step()
            synchronize(engine.device)

        return steps

    def plain_wgan_gp(self, registry: Registry) -> Steps:
        """The same for WGAN-GP, by the paper's algorithm 1: some steps of the critic, each on a new real batch with a
        penalty by double backward, then one of the generator."""
        engine = self.engine(registry)
        generator, critic, recipe = engine.nets["G"], engine.nets["D"], engine.recipe
        data, batch = engine.streams["A"].stored, recipe["batch_size"]
        options = {"lr": recipe["lr"], "betas": recipe["betas"]}
        optimizer_g = torch.optim.Adam(generator.parameters(), **options)
        optimizer_d = torch.optim.Adam(critic.parameters(), **options)
        order, position = torch.randperm(len(data), device=self.device), 0

        def steps() -> None:
            nonlocal position
            for _ in range(self.steps):
                critic.requires_grad_(True)
                for _ in range(recipe["d_steps"]):
                    real = data[order[position : position + batch]].float() / 127.5 - 1
                    position = (position + batch) % (len(data) - batch)
                    with torch.no_grad():
                        fake = generator(torch.randn(batch, recipe["latent"], device=self.device))
                    share = torch.rand(batch, 1, 1, 1, device=self.device)
                    mixed = torch.lerp(fake, real, share).requires_grad_()
                    (slope,) = torch.autograd.grad(logits(critic, mixed).sum(), mixed, create_graph=True)
                    penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
                    loss = (
                        logits(critic, fake).mean()
                        - logits(critic, real).mean()
                        + recipe["gradient-penalty.weight"] * penalty
                    )
                    optimizer_d.zero_grad(set_to_none=True)
                    loss.backward()
                    optimizer_d.step()
                critic.requires_grad_(False)
                loss = -logits(critic, generator(torch.randn(batch, recipe["latent"], device=self.device))).mean()
                optimizer_g.zero_grad(set_to_none=True)
                loss.backward()
                optimizer_g.step()
            synchronize(engine.device)

        return steps


def logits(discriminator: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """D's answer, which may come with more than a logit: `(B,)`."""
    answer = discriminator(x)
    return answer if isinstance(answer, torch.Tensor) else answer.logit


def interval_of_median(ratios: np.ndarray, draws: int = 10_000) -> tuple[float, float]:
    """95 % bootstrap interval of the median over rounds."""
    resampled = np.random.default_rng(0).choice(ratios, (draws, len(ratios)))
    low, high = np.percentile(np.median(resampled, axis=1), [2.5, 97.5])
    return float(low), float(high)
