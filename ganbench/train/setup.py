"""From a `RunSpec` and a registry to an engine ready to play."""

from __future__ import annotations

import torch

from ganbench.api import Dataset
from ganbench.errors import UsageError
from ganbench.plan.data import content_hash
from ganbench.plan.seeds import derive
from ganbench.plan.spec import RunSpec
from ganbench.plugins import Registry
from ganbench.train.draws import Latents, Stream, label_frequencies, seed_default, to_device_form
from ganbench.train.engine import Engine
from ganbench.train.parts import build_parts
from ganbench.train.standard import two_player


def build_engine(spec: RunSpec, registry: Registry, device: torch.device) -> tuple[Engine, torch.dtype]:
    """The engine of a run, and the dtype of its samples' declared form.

    Data order and latents are seeded by the repetition alone, so that GANs share them; initialisation and draws also by
    the entry.
    """
    recipe = spec.values()
    shared = derive(spec.suite_seed, "repetition", spec.seed)
    own = derive(shared, "entry", spec.entry_key)
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
        stored = to_device_form(samples, device)
        y = torch.from_numpy(labels).to(device) if labels is not None else None
        streams[name] = Stream(stored, y, known, derive(shared, "data", name))
        if sample_spec is None:
            sample_spec, dtype = known, stored.dtype
            if spec.conditional:
                frequencies = label_frequencies(labels, dataset.spec.classes)
    assert sample_spec is not None
    latents = Latents(recipe, derive(shared, "latents"), device, frequencies)
    if spec.entry["game"]:
        builder = registry.get("game", spec.entry["game"])
        seed_default(derive(own, "initialisation", "game"), device)
        game = builder.build(sample_spec, recipe)
    else:
        components = [registry.component(name).record for name in spec.components]
        parts = build_parts(
            components,
            sample_spec,
            recipe,
            lambda name: seed_default(derive(own, "initialisation", "component", name), device),
        )
        game = two_player(registry.get("architecture", spec.entry["architecture"]), parts, sample_spec, recipe)
    return Engine(game, recipe, sample_spec, streams, latents, seed=own, device=device), dtype
