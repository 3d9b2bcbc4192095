"""A trainable component and what it is tried out with: data that it takes and the smallest partners that fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import torch

from ganbench.api import Game, Preset, Recipe
from ganbench.conformance.checks import Skip
from ganbench.conformance.subject import Subject as Plain
from ganbench.conformance.toys import FORMS, FURTHER, Form, registered_forms
from ganbench.conformance.trace import Trace, trace
from ganbench.conformance.watch import KeptLatents, KeptStream
from ganbench.plan.entries import Entry, Wishes, alone
from ganbench.plan.seeds import derive
from ganbench.plan.suite import EntrySet
from ganbench.plugins import Registered
from ganbench.train import Engine, build_parts, two_player
from ganbench.train.draws import label_frequencies, seed_default

SMALL: dict[str, Any] = {"batch_size": 16, "width": 16, "latent": 16, "ema_half_life": 100.0}
"""Recipe keys of the trial, where somebody declares them."""
DATA = 256

Watcher = Callable[[Game], Game]


class Subject(Plain):
    """A trainable component, with everything that its checks share."""

    @cached_property
    def entries(self) -> dict[Form, Entry]:
        """Data that fits -> the entry it is tried out as; an architecture on all forms, others on the first."""
        found: dict[Form, Entry] = {}
        reason = "there is nothing to try it out with"
        for form in (*FORMS, *FURTHER, *registered_forms(self)):
            if found and (self.registered.kind != "architecture" or form not in FORMS):
                break
            entry, why = self._chosen(form)
            if entry is not None:
                found[form] = entry
            reason = why or reason
        if not found:
            raise Skip(f"fits no data and no partner here; the last reason: {reason}")
        return found

    @property
    def form(self) -> Form:
        """The first form that fits."""
        return next(iter(self.entries))

    @cached_property
    def traces(self) -> dict[Form, Trace]:
        """What a short training showed, for each form."""
        return {form: trace(self, form) for form in self.entries}

    def engine(
        self,
        form: Form,
        seed: int = 0,
        device: str = "cpu",
        watch: Watcher = lambda game: game,
        **settings: Any,
    ) -> Engine:
        """A fresh engine on made-up data. settings: recipe keys that differ from the trial's."""
        return self._build(self.entries[form], form, seed, torch.device(device), watch, settings)

    def _build(
        self, entry: Entry, form: Form, seed: int, place: torch.device, watch: Watcher, settings: dict[str, Any]
    ) -> Engine:
        values = _values(entry)
        recipe = Recipe({**values, **{k: v for k, v in settings.items() if k in values}})
        spec = form.spec if entry.conditional else form.spec.but(classes=0)
        subject: Any = entry.plugins[0].record

        def seed_for(name: str) -> None:
            seed_default(derive(seed, "initialisation", "component", name), torch.device("cpu"))

        if entry.description["game"]:
            seed_for("game")
            game = subject.build(spec, recipe)
        else:
            parts = build_parts([r.record for r in entry.plugins[1:]], spec, recipe, seed_for)
            game = two_player(subject, parts, spec, recipe)
        streams = {}
        for number, name in enumerate(game.streams):
            x, y = form.make(DATA, number)
            streams[name] = KeptStream(x.to(place), y.to(place), spec, seed)
        frequencies = label_frequencies(y, spec.classes) if spec.classes else None
        latents = KeptLatents(recipe, seed, place, frequencies)
        return Engine(watch(game), recipe, spec, streams, latents, seed=seed, device=place)

    def _chosen(self, form: Form) -> tuple[Entry | None, str | None]:
        """The first entry that can be played: with partners that are not on trial themselves, the smallest of the
        plainest ones; with partners of its own plugin; as a preset has it. Or why there is none."""
        group = self._group()
        if group is None:
            return None, "no architecture or no loss is registered"
        entries = self._expanded(group, form)
        fitting = [e for e in entries if not e.skip]
        costs = {e.plugins[0].record: (0, 0) for e in fitting}
        if len(costs) > 1:  # architectures, then: a game is played by itself
            costs = {e.plugins[0].record: (_special(e, form), _parameters(e, form)) for e in fitting}

        def rank(entry: Entry) -> tuple[Any, ...]:
            on_trial = sum(p.provenance.asked for p in entry.plugins if p.record is not self.record)
            return on_trial, costs[entry.plugins[0].record], len(entry.plugins), entry.description["label"]

        own = self.registered.provenance.module
        ranked = sorted(fitting, key=rank)
        akin = [e for e in ranked if sum(p.provenance.module == own for p in e.plugins) > 1]
        presets = [EntrySet(preset=_full(e), recipe={}) for e in self.registry.of("preset") if self._is_in(e.record)]
        candidates = [*ranked[:1], *akin[:4], *(e for p in presets for e in self._expanded(p, form) if not e.skip)]
        playable = (e for e in candidates if len(candidates) == 1 or self._plays(e, form))
        return next(playable, next(iter(candidates), None)), next((e.skip for e in entries if e.skip), None)

    def _is_in(self, preset: Preset) -> bool:
        """Whether a preset names the component."""
        named = (preset.architecture, preset.loss, *preset.regularizers, *preset.augmentations)
        return self.registered.kind != "preset" and self.registered.name in named

    def _plays(self, entry: Entry, form: Form) -> bool:
        try:
            self._build(entry, form, 0, torch.device("cpu"), lambda game: game, {}).cycle()
        except (Exception, SystemExit):
            return False
        return True

    def _expanded(self, group: EntrySet, form: Form) -> list[Entry]:
        """Entries in the trial's recipe, as far as its keys are declared."""
        keys = {k for e in _expand(self, group, {}, form) for k in e.recipe}
        return _expand(self, group, {k: v for k, v in SMALL.items() if k in keys}, form)

    def _group(self) -> EntrySet | None:
        """Entries in which the component takes part."""
        kind, name = self.registered.kind, _full(self.registered)
        if kind == "preset":
            return EntrySet(preset=name, recipe={})
        if kind == "game":
            return EntrySet(game=name, recipe={})
        architectures = [_full(e) for e in self.registry.of("architecture")]
        losses = [_full(e) for e in sorted(self.registry.of("loss"), key=self._preference)]
        if kind == "architecture":
            architectures = [name]
        elif kind == "loss":
            losses = [name]
        if not architectures or not losses:
            return None
        regularizers = (name,) if kind == "regularizer" else ()
        augmentations = (name,) if kind == "augmentation" else ()
        if regularizers or augmentations:
            losses = losses[:1]
        return EntrySet(tuple(architectures), tuple(losses), regularizers, augmentations, recipe={})

    def _preference(self, loss: Registered) -> tuple[bool, ...]:
        """Before other losses the one that brings the component, those not on trial, those that ask nothing of D."""
        return self.registered.name not in loss.record.brings, loss.provenance.asked, bool(loss.record.requires)


def _full(registered: Registered) -> str:
    return f"{registered.provenance.provider}:{registered.name}"


def _values(entry: Entry) -> Recipe:
    return Recipe({k: v["value"] for k, v in entry.recipe.items()})


def _expand(subject: Subject, group: EntrySet, settings: dict[str, Any], form: Form) -> list[Entry]:
    return alone(subject.registry, form.spec, group, Wishes(settings=settings))


def _special(entry: Entry, form: Form) -> int:
    """How many traits the architecture has that few components ask for."""
    return len(entry.plugins[0].record.traits(form.spec, _values(entry)) - {"per-sample-D"})


def _parameters(entry: Entry, form: Form) -> int:
    """How large the networks are; they are built without memory."""
    architecture, recipe = entry.plugins[0].record, _values(entry)
    spec = form.spec if entry.conditional else form.spec.but(classes=0)
    with torch.device("meta"):
        nets = architecture.generator(spec, recipe), architecture.discriminator(spec, recipe)
    return sum(p.numel() for net in nets for p in net.parameters())
