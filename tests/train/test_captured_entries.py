"""That no step of anything registered looks at a value: each cycle is rehearsed on a device that has none.

Torch's device `meta` has shapes and no values, so it refuses whatever would have a GPU's stream wait for the host; and
its tensors lie elsewhere than the host's, so what mixes both is told apart as on a GPU.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from stand_ins import CASES, StandIn
from stand_ins.convolutions import CONVOLUTIONS

from ganbench import Recipe, Regularizer, SampleSpec, plugins
from ganbench.plan.entries import Wishes, alone
from ganbench.plan.modes import find_mode
from ganbench.plan.suite import EntrySet
from ganbench.train import Engine, modes
from ganbench.train.draws import Latents, Stream
from ganbench.train.setup import Asked, assemble

META = torch.device("meta")
REGISTRY = plugins.load()
SPECS = [SampleSpec((3, 32, 32), classes=4), SampleSpec((1, 28, 28), classes=4), SampleSpec((2,), None, "points")]
NEVER = {"unrolled", "unrolled-surrogate", "extra-gradient", "stylegan2", "r1-lazy", "recipe-rmsprop", "recipe-sgd"}
NEVER |= {"progan"}
MANY = {"many-on-labels", "many-packed", "many-ahead", "many-unrolled"}


def names(kind: str) -> list[str]:
    return [entry.name for entry in REGISTRY.of(kind)]


@pytest.fixture(autouse=True)
def without_values(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Adam's fused form is let on the device, where it has nothing to compute."""
    monkeypatch.setattr(modes, "GRAPHS", ("cuda", "meta"))
    monkeypatch.setattr(sys.modules["torch.optim.adam"], "_device_dtype_check_for_fused", lambda *args, **options: None)
    library = torch.library.Library("aten", "IMPL", "Meta")
    library.impl("_fused_adam_.tensor_lr", lambda *args, **options: None)
    yield
    library._destroy()


def engine(entry: Any, spec: SampleSpec) -> Engine:
    recipe = Recipe({k: v["value"] for k, v in entry.recipe.items()})
    known = spec if entry.conditional else spec.but(classes=0)
    stored = torch.empty((80, *spec.shape), dtype=torch.uint8 if spec.modality == "image" else None, device=META)
    labels = torch.empty(80, dtype=torch.int64, device=META) if known.classes else None
    shares = torch.ones(known.classes) if known.classes else None
    asked = Asked(entry.description, entry.components, recipe, known, find_mode("captured"))
    latents = Latents(recipe, 0, META, shares)
    streams = {name: Stream(stored, labels, known, 0) for name in ("A", "B")}
    return assemble(asked, REGISTRY, streams, latents, 0, META)


def entries(spec: SampleSpec, group: EntrySet, **settings: Any) -> list[Any]:
    """Entries in a small recipe; lazy penalties are in every step, for all cycles must be the same."""
    wishes = {"batch_size": 8, "width": 8, **settings}
    found = alone(REGISTRY, spec, group, Wishes(settings=wishes))
    lazy = {key: 1 for entry in found for key in entry.recipe if key.endswith(".every")}
    return alone(REGISTRY, spec, group, Wishes(settings={**wishes, **lazy})) if lazy else found


Added = tuple[tuple[str, ...], tuple[str, ...]]
"""Regularizers and augmentations of an entry."""


def refusal(made: Engine) -> str | None:
    """Why its cycle is not captured, or None."""
    return made._captured.refusal() if made._captured else made.mode.off["captured"]


def declares_why(made: Engine) -> bool:
    """Whether it says itself that its cycles are not all the same, or has an optimizer that cannot be captured."""
    between = ("at_step", "around", "opponent")  # hooks that run between steps
    hooked = any(hasattr(m, h) for h in between for modules in made.modules().values() for m in modules.values())
    return hooked or made.recipe["optimizer"] != "adam"


def check(architecture: str, losses: list[str], extras: list[Added], specs: list[SampleSpec]) -> int:
    """How many entries are captured; those that are not are those that say why."""
    played = 0
    for spec in specs:
        for extra in extras:
            for entry in entries(spec, EntrySet((architecture,), tuple(losses), *extra, recipe={}), d_steps=1):
                if entry.skip:
                    continue
                made = engine(entry, spec)
                reason = refusal(made)
                assert (reason is None) != declares_why(made), f"{entry.description['label']}: {reason}"
                played += reason is None
    return played


@pytest.mark.parametrize("architecture", names("architecture"))
def test_everything_registered_can_be_captured_with_something(architecture: str) -> None:
    """The losses, the regularizers and the augmentations are dealt out to the architectures."""
    several = names("architecture")
    number, count = several.index(architecture), len(several)
    regularizers, augmentations = names("regularizer")[number::count], names("augmentation")[number::count]
    added: list[Added] = [*(((name,), ()) for name in regularizers), *(((), (name,)) for name in augmentations)]
    spec = next(s for s in SPECS if REGISTRY.get("architecture", architecture).accepts.refuses(s) is None)
    check(architecture, names("loss")[number::count] or names("loss")[:1], [((), ())], [spec])
    check(architecture, names("loss")[:1], added, [spec])


@pytest.mark.full
@pytest.mark.parametrize("architecture", names("architecture"))
def test_everything_registered_can_be_captured_with_everything(architecture: str) -> None:
    """Every loss, alone and with each regularizer and augmentation, on images and points: captured, or refused for what
    it declares."""
    added: list[Added] = [((), ()), *(((name,), ()) for name in names("regularizer"))]
    played = check(architecture, names("loss"), [*added, *(((), (name,)) for name in names("augmentation"))], SPECS)
    assert played or architecture == "progan"


@pytest.mark.full
@pytest.mark.parametrize("preset", names("preset"))
def test_every_preset_can_be_captured(preset: str) -> None:
    """As published, sizes aside."""
    for spec in SPECS[:2]:
        (entry,) = entries(spec, EntrySet(preset=preset, recipe={}))
        if not entry.skip:
            made = engine(entry, spec)
            assert (refusal(made) is None) != declares_why(made)


@pytest.mark.parametrize("game", names("game"))
def test_every_game_can_be_captured(game: str) -> None:
    """On the first form that it takes."""
    found = (alone(REGISTRY, s, EntrySet(game=game, recipe={}), Wishes(settings={"batch_size": 8})) for s in SPECS)
    entry, spec = next((entries[0], s) for entries, s in zip(found, SPECS, strict=True) if not entries[0].skip)
    assert engine(entry, spec)._captured.refusal() is None


@pytest.mark.parametrize("case", [CONVOLUTIONS, *CASES.values()], ids=lambda case: case.name)
def test_every_hard_case_but_those_that_say_so(case: StandIn) -> None:
    made = case.engine(mode="captured", device="meta")
    assert bool(made._captured) == (case.name not in NEVER | MANY)
    if made._captured:
        assert made._captured.refusal() is None
        assert made._captured._report.device == META


def test_what_mixes_host_and_device_is_told() -> None:
    """A constant that a component makes on the host would have to be copied in every cycle."""
    for name, term in {
        "host": lambda D, fake: D(fake) * torch.ones(len(fake.x)),
        "scalar": lambda D, fake: D(fake) * torch.tensor(2.0).to(fake.x.device),
    }.items():
        made = StandIn(name, others=(Regularizer(name, generator=term),)).engine(mode="captured", device="meta")
        assert "takes tensors of the host and of the device" in made._captured.refusal()
