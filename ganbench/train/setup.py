"""From a `RunSpec` and a registry to an engine ready to play."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from ganbench.api import Component, Dataset, Game, Recipe, SampleSpec
from ganbench.errors import UsageError
from ganbench.plan.modes import Mode, find_mode
from ganbench.plan.seeds import derive
from ganbench.plan.spec import RunSpec
from ganbench.plugins import Registry
from ganbench.record.files import content_hash
from ganbench.train.draws import Latents, Stream, label_frequencies, seed_default
from ganbench.train.engine import Engine
from ganbench.train.loading import fits
from ganbench.train.modes import narrowed
from ganbench.train.parts import build_parts
from ganbench.train.standard import two_player


def build_engine(spec: RunSpec, registry: Registry, device: torch.device) -> tuple[Engine, torch.dtype]:
    """The engine of a run, and the dtype of its samples' declared form.

    Data order and latents are seeded by the repetition alone, so that GANs share them; initialisation and draws also by
    the entry, whatever its mode.
    """
    recipe = spec.values()
    shared = derive(spec.suite_seed, "repetition", spec.seed)
    own = derive(shared, "entry", spec.seed_key)
    streams: dict[str, Stream] = {}
    frequencies, sample_spec, dtype = None, None, torch.float32
    for name, source in spec.data.items():
        dataset: Dataset = registry.get("dataset", source["name"])
        samples, labels = dataset.load(source["split"])
        if (found := content_hash(samples, labels)) != source["sha256"]:
            raise UsageError(
                f"data set {source['name']} is not the one this run was planned with "
                f"(sha256 {found[:12]}… instead of {source['sha256'][:12]}…); plan again with ganbench run"
            )
        known = dataset.spec if spec.conditional else dataset.spec.but(classes=0)
        stored = torch.from_numpy(np.ascontiguousarray(samples))
        y = torch.from_numpy(labels).to(device) if labels is not None else None
        place = (stored.to(device), None) if fits(stored.nbytes, device) else (stored, device)
        streams[name] = Stream(place[0], y, known, derive(shared, "data", name), place[1])
        if sample_spec is None:
            sample_spec, dtype = known, stored.dtype
            if spec.conditional:
                frequencies = label_frequencies(labels, dataset.spec.classes)
    assert sample_spec is not None
    latents = Latents(recipe, derive(shared, "latents"), device, frequencies)
    asked = Asked(spec.entry, spec.components, recipe, sample_spec, find_mode(spec.mode))
    return assemble(asked, registry, streams, latents, own, device), dtype


@dataclass(frozen=True)
class Asked:
    """What is put together: an entry's description, its components by name, its recipe, the data's form, the mode."""

    entry: Mapping[str, Any]
    components: Sequence[str]
    recipe: Recipe
    spec: SampleSpec
    mode: Mode


def assemble(
    asked: Asked,
    registry: Registry,
    streams: Mapping[str, Stream],
    latents: Latents,
    seed: int,
    device: torch.device,
    *,
    change: Callable[[Game], Game] = lambda game: game,
    penalties: bool = True,
) -> Engine:
    """The engine of an entry on some data; its mode is narrowed to what the entry can have.

    seed: of this training. change: what is done to the game before it is played. penalties: whether components beside
    the loss have their terms.
    """
    entry, recipe, spec = asked.entry, asked.recipe, asked.spec
    if entry["game"]:
        builder = registry.get("game", entry["game"])
        seed_default(derive(seed, "initialisation", "game"), device)
        game = builder.build(spec, recipe)
        mode = narrowed(asked.mode, recipe, game, device)
    else:
        components: list[Component] = [registry.component(name).record for name in asked.components]
        if not penalties:
            components[1:] = [replace(c, discriminator=None, generator=None) for c in components[1:]]
        parts = build_parts(
            components,
            spec,
            recipe,
            lambda name: seed_default(derive(seed, "initialisation", "component", name), device),
        )
        mode = narrowed(asked.mode, recipe, parts, device)
        architecture = registry.get("architecture", entry["architecture"])
        game = two_player(architecture, parts, spec, recipe, shared_fake=mode.shared_fake)
    return Engine(change(game), recipe, spec, streams, latents, seed=seed, device=device, mode=mode)
