"""One suite over everything that is registered, now and later: no name of the zoo stands here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ganbench import Recipe, Unavailable, plugins
from ganbench.plan.entries import Entry, Wishes, expand
from ganbench.plan.recipe import ENGINE
from ganbench.plan.suite import EntrySet, Suite, Tier, read_suite
from ganbench.train import Engine, build_parts, two_player
from ganbench.train.draws import Latents, Stream, label_frequencies
from ganbench.train.names import Call
from ganbench.train.parts import Part

REGISTRY = plugins.load()
SMALL: dict[str, Any] = {"batch_size": 16, "width": 16, "latent": 16, "ema_half_life": 100.0}
CYCLES = 20
SPECS = {
    (1, 28, 28): "28 pixels, grey",
    (3, 32, 32): "32 pixels, colour",
}


def named(kind: str) -> list[Any]:
    return [pytest.param(e, id=f"{kind}-{e.name}") for e in REGISTRY.of(kind)]


def suite_of(*groups: EntrySet) -> tuple[Suite, Tier]:
    """A suite with just these entries, made from the first one that is registered."""
    suite = read_suite(REGISTRY.of("suite")[0].record.file)
    tier = suite.tier(None)
    fields = {**tier.__dict__, "entries": groups, "recipe": {}}
    return Suite(**{**suite.__dict__, "recipe": {}}), Tier(**fields)


def smallest(group: EntrySet, shape: tuple[int, ...]) -> Entry | None:
    """The fitting entry with the fewest parameters, in a small recipe; None if nothing fits this data."""
    spec = REGISTRY.of("dataset")[0].record.spec.but(shape=shape)
    suite, tier = suite_of(group)
    keys = {k for e in expand(suite, tier, Wishes(), REGISTRY, spec) for k in e.recipe}
    wishes = Wishes(settings={k: v for k, v in SMALL.items() if k in keys})
    fitting = [e for e in expand(suite, tier, wishes, REGISTRY, spec) if not e.skip]
    return min(fitting, key=lambda e: cost(e, shape), default=None)


def cost(entry: Entry, shape: tuple[int, ...]) -> int:
    engine = engine_of(entry, shape)
    return sum(p.numel() for net in engine.nets.values() for p in net.parameters())


def engine_of(entry: Entry, shape: tuple[int, ...], seed: int = 0) -> Engine:
    """An engine on random shades and slopes; what a component learns there does not matter."""
    recipe = Recipe({k: v["value"] for k, v in entry.recipe.items()})
    spec = REGISTRY.of("dataset")[0].record.spec.but(shape=shape)
    generator = np.random.default_rng(0)
    coarse = torch.from_numpy(generator.uniform(0, 256, (64, shape[0], 3, 3)))
    data = F.interpolate(coarse, shape[1:], mode="bilinear").to(torch.uint8)
    labels = generator.integers(0, spec.classes, 64)
    spec = spec if entry.conditional else spec.but(classes=0)
    frequencies = label_frequencies(labels, spec.classes) if entry.conditional else None
    torch.manual_seed(seed)
    game_name = entry.description["game"]
    if game_name:
        game = REGISTRY.get("game", game_name).build(spec, recipe)
    else:
        parts = build_parts([REGISTRY.component(c).record for c in entry.components], spec, recipe)
        game = two_player(REGISTRY.get("architecture", entry.description["architecture"]), parts, spec, recipe)
    streams = {name: Stream(data, torch.from_numpy(labels), spec, seed) for name in game.streams}
    latents = Latents(recipe, seed, torch.device("cpu"), frequencies)
    return Engine(game, recipe, spec, streams, latents, seed=seed)


def group_of(entry: plugins.Registered) -> EntrySet:
    """Entries in which a registered trainable takes part."""
    architectures, losses = tuple(REGISTRY.names("architecture")), tuple(REGISTRY.names("loss"))
    if entry.kind in ("preset", "game"):
        return EntrySet(**{entry.kind: entry.name}, recipe={})
    if entry.kind == "architecture":
        return EntrySet(architectures=(entry.name,), losses=losses, recipe={})
    if entry.kind == "loss":
        return EntrySet(architectures=architectures, losses=(entry.name,), recipe={})
    field = {"regularizer": "regularizers", "augmentation": "augmentations"}[entry.kind]
    return EntrySet(architectures=architectures, losses=losses[:1], recipe={}, **{field: (entry.name,)})


TRAINABLE = [p for k in ("architecture", "loss", "regularizer", "augmentation", "preset", "game") for p in named(k)]


@pytest.mark.parametrize("shape", SPECS, ids=SPECS.values())
@pytest.mark.parametrize("entry", TRAINABLE)
def test_trains(entry: plugins.Registered, shape: tuple[int, ...]) -> None:
    """Built, trained, finite; every parameter is reached; the same twice; samples in shape and range."""
    chosen = smallest(group_of(entry), shape)
    if chosen is None:
        pytest.skip(f"{entry.name} does not fit {SPECS[shape]} with any partner")
    first, second = engine_of(chosen, shape), engine_of(chosen, shape)
    parameters = {f"{n}.{k}": p for n, net in modules(first).items() for k, p in net.named_parameters()}
    moved = dict.fromkeys(parameters, False)
    before = {k: p.detach().clone() for k, p in parameters.items()}
    for cycle in range(CYCLES):
        first.cycle(cycle / CYCLES)
        if cycle < 3:
            second.cycle(cycle / CYCLES)
            if cycle == 2:
                assert equal(first.state()[0], second.state()[0]), "the same seed gave other weights"
        moved = {k: moved[k] or not torch.equal(p, before[k]) for k, p in parameters.items()}
        if all(moved.values()) and cycle >= 2:
            break
    # One number (a logit's offset) may stay: a difference of logits cannot see it.
    stuck = [k for k, m in moved.items() if not m and parameters[k].numel() > 1]
    assert not stuck, f"never moved within {CYCLES} cycles: {stuck}"
    losses, bad = first.window.poll()
    assert bad is None, losses
    sampled = first.game.sample
    latents = first.latents.draw(4, "test")
    with torch.no_grad():
        known = first.context | {"latents": latents}
        known["context"] = known
        x = Call(sampled)(known).x
    assert x.shape == (4, *shape)
    low, high = first.spec.range
    assert bool((x >= low).all()) and bool((x <= high).all())


def modules(engine: Engine) -> dict[str, torch.nn.Module]:
    heads = {n: p.module for n, p in engine.parts.items() if isinstance(p, Part) and p.heads}
    return {**engine.nets, **heads}


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("entry", TRAINABLE)
def test_names_what_it_is(entry: plugins.Registered) -> None:
    """A paper (or None, said), own keys that carry the name, wishes that the engine or an architecture can hear."""
    record = entry.record
    assert record.paper is None or record.paper.strip()
    if entry.kind in ("loss", "regularizer", "augmentation"):
        flat = {k for k in record.recipe if "." not in k}
        known = set(ENGINE) | {k for e in REGISTRY.of("architecture") for k in e.record.recipe}
        assert flat <= known, f"wishes that nobody can hear: {flat - known}"
        assert all(k.startswith(f"{record.name}.") for k in record.recipe if "." in k)
        for brought in record.brings:
            REGISTRY.component(brought)


@pytest.mark.parametrize("entry", named("dataset"))
def test_dataset(entry: plugins.Registered) -> None:
    """Arrays in the declared form, each split disjoint in size from none, labels in range, the same twice."""
    dataset = entry.record
    if not dataset.here():
        pytest.skip(f"{entry.name} is not on this machine: set GANBENCH_DATA to a folder that has it")
    for split in dataset.splits:
        samples, labels = dataset.load(split)
        assert samples.shape[1:] == dataset.spec.shape and len(samples) > 0
        assert samples.dtype == {"image": np.uint8, "audio": np.int16}.get(dataset.spec.modality, np.float32)
        if labels is not None:
            assert labels.dtype == np.int64 and labels.shape == (len(samples),)
            assert set(np.unique(labels)) <= set(range(dataset.spec.classes))
        again, _ = dataset.load(split)
        assert np.array_equal(samples, again)
    assert dataset.licence


@pytest.mark.parametrize("entry", named("extractor"))
def test_extractor(entry: plugins.Registered) -> None:
    """Weights as declared; asked layers come out, one row a sample, as float32, the same for a batch as one by one."""
    extractor = entry.record
    try:
        weights = extractor.weights(None)
    except Unavailable as error:
        pytest.skip(str(error))
    layers = tuple(dict.fromkeys((extractor.features, extractor.logits)))
    network = extractor.build(weights.file, layers)
    spec = next(d.record.spec for d in REGISTRY.of("dataset") if not extractor.accepts.refuses(d.record.spec))
    x = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, *spec.shape), dtype=np.uint8))
    with torch.no_grad():
        whole, single = network(x), network(x[:1])
    assert len(whole) == len(layers)
    for a, b in zip(whole, single, strict=True):
        assert a.shape[0] == 4 and a.dtype == torch.float32 and bool(a.isfinite().all())
        torch.testing.assert_close(a[:1], b, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("entry", named("metric"))
def test_metric(entry: plugins.Registered) -> None:
    """Every declared column, finite, the same twice, and better on equal sets than on shifted ones."""
    metric = entry.record
    if {"labels", "samples"} & set(metric.needs):
        pytest.skip("needs more than features")
    params = {**metric.params, **({"subsets": 5} if "subsets" in metric.params else {})}
    n = max(1_200, int(metric.minimum))
    generator = torch.Generator().manual_seed(0)

    def side(shift: float) -> dict[str, torch.Tensor]:
        x = torch.randn(n, 10, generator=generator)
        return {"features": x + shift, "logits": 4 * x / (1 + 9 * shift)}

    real, near, far = side(0.0), side(0.0), side(2.0)
    good, again, bad = (metric.compute(real, fake, params, "cpu") for fake in (near, near, far))
    assert good == again
    for column in metric.columns:
        assert np.isfinite(good[column.name])
        if column.direction == "lower":
            assert good[column.name] < bad[column.name]
        if column.direction == "higher":
            assert good[column.name] > bad[column.name]


@pytest.mark.parametrize("entry", named("suite"))
def test_suite(entry: plugins.Registered) -> None:
    """Reads, and names only what is registered."""
    suite = read_suite(entry.record.file, entry.name)
    for tier in suite.tiers.values():
        spec = REGISTRY.get("dataset", next(iter(suite.datasets.values()))).spec
        entries = expand(suite, tier, Wishes(), REGISTRY, spec)
        assert entries and not [e.skip for e in entries if e.skip]
        for name in (*suite.datasets.values(), *([tier.offline] if tier.offline else [])):
            REGISTRY.find("dataset", name)
        for metric in (*suite.metrics, *tier.params):
            REGISTRY.find("metric", metric)
        for extractor in (*suite.extractors, *tier.extra_extractors):
            REGISTRY.find("extractor", extractor)
        for row in suite.scale_rows:
            REGISTRY.find("scale-row", row)
