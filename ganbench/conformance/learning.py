"""Trainables: a small GAN comes closer to its data than it began."""

from __future__ import annotations

from typing import Any

import torch

from ganbench.conformance.checks import Advice, Skip
from ganbench.conformance.partners import Subject
from ganbench.conformance.toys import Form, energy_distance
from ganbench.train import Engine
from ganbench.train.draws import decode
from ganbench.train.names import Call

SEEDS, ENOUGH = 3, 2
LOOKS = 16
RATES = {"lr": 1e-3, "lr_G": 0.0, "lr_D": 0.0}
"""One for both players, also where the entry has one for each."""
POINTS = {"batch_size": 32, **RATES}
OTHERS = {"d_steps": 1, **RATES}
CYCLES = 25, 12, 3
"""Recipe, and cycles between two looks: on points; on other forms, which cost more, with the smallest networks there
are; and with those of the subject."""
PARTNERED = ("loss", "regularizer", "augmentation")
"""Kinds that are tried with the smallest networks."""
CLOSER = 0.8
"""The share of the first distance that counts as closer."""
FAINT = 0.01
"""The share of its weight at which a penalty on D alone is tried again: published weights suit images, whose distances
are large, and may leave D nothing else to learn on small data."""


def comes_closer(subject: Subject) -> Advice | None:
    """In two of three seeds the energy distance to the data falls, on the first form that fits; with a penalty on D
    alone at its weight or at little of it."""
    form = subject.form
    if subject.traces[form].error is not None or not subject.traces[form].finite:
        raise Skip("it does not train")
    tried: list[list[float]] = []
    for settings in ({}, *_fainter(subject, form)):
        tried.append(_shares(subject, form, settings))
        if sum(s < CLOSER for s in tried[-1]) == ENOUGH:
            return None
    return Advice(
        f"on {form.title} the distance to the data stays at {', '.join(f'{s:.0%}' for s in tried[0])} of the first one",
        "look at the terms' signs and the learning rate: G's loss falls where D takes its samples for real ones",
    )


def _fainter(subject: Subject, form: Form) -> list[dict[str, float]]:
    """The weight of a penalty on D alone, much smaller; a term of G is held to its own, for it may push G away."""
    if subject.registered.kind != "regularizer" or subject.record.generator or not subject.record.discriminator:
        return []
    key = f"{subject.record.name}.weight"
    return [{key: FAINT * subject.entries[form].recipe[key]["value"]}]


def _shares(subject: Subject, form: Form, more: dict[str, Any]) -> list[float]:
    """The smallest distances, as shares, of so many seeds as it takes to decide."""
    shares: list[float] = []
    while sum(s < CLOSER for s in shares) < ENOUGH and sum(s >= CLOSER for s in shares) <= SEEDS - ENOUGH:
        shares.append(_share(subject, form, len(shares), more))
    return shares


def _share(subject: Subject, form: Form, seed: int, more: dict[str, Any]) -> float:
    """The smallest distance seen while training, as a share of that at the start. more: recipe keys."""
    points = form.spec.modality == "points"
    settings: dict[str, Any] = {**(POINTS if points else OTHERS), **more}
    if not points:
        settings["d_steps"] = min(settings["d_steps"], subject.entries[form].recipe["d_steps"]["value"])
    cycles = CYCLES[0 if points else 1 if subject.registered.kind in PARTNERED else 2]
    engine = subject.engine(form, seed, **settings)
    stored, _ = form.make(128, seed=1)
    data = decode(stored, engine.spec)
    first = energy_distance(data, _draw(engine))
    share = 1.0
    for look in range(LOOKS):
        for _ in range(cycles):
            engine.cycle(look / LOOKS)
        share = min(share, energy_distance(data, _draw(engine)) / first)
        if share < CLOSER:
            break
    return share


@torch.no_grad()
def _draw(engine: Engine) -> torch.Tensor:
    """Generated samples `(128, …)`, drawn as a run draws them."""
    latents = engine.latents.draw(128, "look")
    known = engine.context | {"latents": latents}
    known["reals"] = {name: stream.next(128) for name, stream in engine.streams.items()}
    known["context"] = known
    x = Call(engine.game.sample)(known).x
    assert isinstance(x, torch.Tensor)
    return x


CHECKS = (comes_closer,)
