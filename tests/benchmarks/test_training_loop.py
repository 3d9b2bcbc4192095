"""ganbench's loop against a plain hand-written one: same networks, same work, one thread, one interleaved run.

The claim is "not slower": the lower end of the 95 % interval of the median ratio is at least 0.95.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F

from ganbench import Recipe, SampleSpec
from ganbench.plan.recipe import resolve
from ganbench.plugins import Registry
from ganbench.train import Engine, build_parts, two_player
from ganbench.train.draws import Latents, Stream

ROUNDS, MOST_ROUNDS, STEPS, BATCH = 25, 120, 2, 64
CLAIM = 0.95
SPEC = SampleSpec((1, 32, 32))


def our_loop(registry: Registry, data: torch.Tensor) -> Callable[[], None]:
    """The engine, eager float32, DCGAN with 64 base channels and the non-saturating loss."""
    engine = make_engine(registry, data)

    def steps() -> None:
        for _ in range(STEPS):
            engine.cycle()

    return steps


def make_engine(registry: Registry, data: torch.Tensor) -> Engine:
    architecture, loss = registry.get("architecture", "dcgan"), registry.find("loss", "non-saturating")
    resolved = resolve(("architecture", architecture.recipe), (loss.name, loss.record), [], [])
    recipe = Recipe({k: v["value"] for k, v in resolved.items()} | {"batch_size": BATCH})
    game = two_player(architecture, build_parts([loss.record], SPEC, recipe), SPEC, recipe)
    latents = Latents(recipe, 0, torch.device("cpu"), None)
    return Engine(game, recipe, SPEC, {"A": Stream(data, None, SPEC, 0)}, latents, seed=0)


def plain_loop(registry: Registry, data: torch.Tensor) -> Callable[[], None]:
    """What a researcher writes: no abstraction, D frozen while G learns, losses left on the device."""
    engine = make_engine(registry, data)  # for its freshly made networks only
    generator, discriminator, recipe = engine.nets["G"], engine.nets["D"], engine.recipe
    options = {"lr": recipe["lr"], "betas": recipe["betas"]}
    optimizer_g = torch.optim.Adam(generator.parameters(), **options)
    optimizer_d = torch.optim.Adam(discriminator.parameters(), **options)
    order, position = torch.randperm(len(data)), 0

    def logits(x: torch.Tensor) -> torch.Tensor:
        answer = discriminator(x)
        return answer if isinstance(answer, torch.Tensor) else answer.logit

    def steps() -> None:
        nonlocal position
        for _ in range(STEPS):
            index = order[position : position + BATCH]
            position = (position + BATCH) % (len(data) - BATCH)
            real = data[index].float() / 127.5 - 1
            for parameter in discriminator.parameters():
                parameter.requires_grad_(True)
            with torch.no_grad():
                fake = generator(torch.randn(BATCH, recipe["latent"]))
            loss = F.softplus(-logits(real)).mean() + F.softplus(logits(fake)).mean()
            optimizer_d.zero_grad(set_to_none=True)
            loss.backward()
            optimizer_d.step()
            for parameter in discriminator.parameters():
                parameter.requires_grad_(False)
            loss = F.softplus(-logits(generator(torch.randn(BATCH, recipe["latent"])))).mean()
            optimizer_g.zero_grad(set_to_none=True)
            loss.backward()
            optimizer_g.step()

    return steps


@pytest.mark.benchmark(group="training loop")
def test_not_slower_than_a_plain_loop(compare: Callable[..., float], registry: Registry) -> None:
    data = torch.randint(0, 256, (2_000, *SPEC.shape), dtype=torch.uint8)
    ours, theirs = our_loop(registry, data), plain_loop(registry, data)
    assert compare(ours, theirs, CLAIM, ROUNDS, MOST_ROUNDS) >= CLAIM
