"""Entries: what a suite and the command line ask for, put together and held to what each part declares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ganbench.api import Architecture, Component, GameBuilder, Preset, Recipe, SampleSpec, Value
from ganbench.errors import UsageError, asking
from ganbench.plan.modes import REFERENCE
from ganbench.plan.recipe import Layer, check_chunks, resolve
from ganbench.plan.suite import EntrySet, Suite, Tier
from ganbench.plugins import Registered, Registry

SUITE_ENTRY, SET = "suite entry", "--set"
"""Origins of what a recipe has from the entry as the suite writes it, and from the command line."""
NO_PARTS: Mapping[str, Any] = {
    "architecture": None,
    "loss": None,
    "regularizers": [],
    "augmentations": [],
    "preset": None,
    "game": None,
    "scale": None,
    "role": None,
}
"""What an entry's description says of parts that it does not have."""


@dataclass(frozen=True)
class Wishes:
    """What the command line says about entries and their recipe; empty: as the suite has it.

    regularizers, augmentations: added to every entry that is chosen.
    """

    architectures: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    settings: Mapping[str, Value] = field(default_factory=dict)
    regularizers: tuple[str, ...] = ()
    augmentations: tuple[str, ...] = ()

    @property
    def choose(self) -> bool:
        """Whether entries are named, in place of the tier's."""
        return bool(self.architectures or self.losses or self.presets)

    @property
    def add(self) -> bool:
        """Whether entries get a part that the tier does not give them."""
        return bool(self.regularizers or self.augmentations)


@dataclass(frozen=True)
class Entry:
    """One row to be: its description, its components in order, its recipe, why it is skipped, if it is, its mode."""

    description: Mapping[str, Any]
    components: tuple[str, ...]
    recipe: Mapping[str, Mapping[str, Any]]
    conditional: bool
    skip: str | None
    plugins: tuple[Registered, ...]
    mode: str = REFERENCE.name


def chosen(tier: Tier, wishes: Wishes) -> tuple[EntrySet, ...]:
    """The tier's entries, or those that are named; with the regularizers and augmentations that are added to them,
    which leaves out games."""
    entries = _named(tier, wishes) if wishes.choose else tier.entries
    if not wishes.add:
        return entries
    found = tuple(
        replace(
            entry,
            regularizers=entry.regularizers + wishes.regularizers,
            augmentations=entry.augmentations + wishes.augmentations,
        )
        for entry in entries
        if not entry.game
    )
    if not found:
        option = "--regularizer" if wishes.regularizers else "--augmentation"
        raise UsageError(f"{option}: tier '{tier.name}' has only games, and a game takes none; name other entries")
    return found


def _named(tier: Tier, wishes: Wishes) -> tuple[EntrySet, ...]:
    """Where architectures or losses are named, their product with what the tier has of the other. An architecture of
    the tier keeps the recipe that it has there first, a preset all that the tier says of it."""
    entries = [entry for p in wishes.presets for entry in _of_preset(p, tier)]
    if wishes.architectures or wishes.losses:
        crossed = [e for e in tier.entries if e.architectures]
        architectures = wishes.architectures or tuple(dict.fromkeys(a for e in crossed for a in e.architectures))
        losses = wishes.losses or tuple(dict.fromkeys(loss for e in crossed for loss in e.losses))
        own = {a: e for e in reversed(crossed) for a in e.architectures}
        alone = EntrySet(recipe={})
        entries += [
            EntrySet((a,), losses, recipe=own.get(a, alone).recipe, where=own.get(a, alone).where)
            for a in architectures
        ]
    return tuple(entries)


def _of_preset(name: str, tier: Tier) -> list[EntrySet]:
    """The tier's entries of a preset, or the preset as it was published."""
    return [entry for entry in tier.entries if entry.preset == name] or [EntrySet(preset=name, recipe={})]


def expand(suite: Suite, tier: Tier, wishes: Wishes, registry: Registry, spec: SampleSpec) -> list[Entry]:
    """Every entry, in order; one that does not fit the data or its parts carries the reason in `skip`."""
    entries: list[Entry] = []
    for group in chosen(tier, wishes):
        preset: Preset | None = None
        if group.game:
            entries.append(_game(registry.find("game", group.game), group, suite, tier, wishes, spec))
            continue
        if group.preset:
            registered = registry.find("preset", group.preset)
            preset = registered.record
            group = replace(
                group,
                preset=registered.name,
                architectures=(preset.architecture,),
                losses=(preset.loss,),
                regularizers=preset.regularizers + group.regularizers,
                augmentations=preset.augmentations + group.augmentations,
            )
            layers = [Layer(f"preset {preset.name}", preset.recipe)]
        else:
            layers = []
        entries += [
            _entry(registry, a, loss, group, layers + _layers(suite, tier, group, wishes), spec, preset)
            for a in group.architectures
            for loss in group.losses
        ]
    _heard(suite, tier, wishes, entries)
    labels = Counter(e.description["label"] for e in entries)
    entries = [_told_apart(e) if labels[e.description["label"]] > 1 else e for e in entries]
    return [_in_mode(e, m) for e in entries for m in wishes.modes or tier.modes or suite.modes or (REFERENCE.name,)]


def _in_mode(entry: Entry, mode: str) -> Entry:
    """The entry in a mode, which its label says where it is not the reference."""
    if mode == REFERENCE.name:
        return entry
    label = f"{entry.description['label']} [mode={mode}]"
    return replace(entry, description={**entry.description, "label": label}, mode=mode)


def alone(registry: Registry, spec: SampleSpec, group: EntrySet, wishes: Wishes | None = None) -> list[Entry]:
    """Entries on data of this form, without a suite."""
    suite = Suite("none", "", 1, 0, {"A": ""}, (), (), "", (), {}, {}, "none", {})
    tier = Tier("none", "real_images", 1, (0,), False, "reduced", "", 0, 0, 0, {}, {}, None, 0.0, (), (group,))
    return expand(suite, tier, wishes or Wishes(), registry, spec)


def _told_apart(entry: Entry) -> Entry:
    """The entry with what the suite changed in its recipe added to its label."""
    own = {k: v["value"] for k, v in entry.recipe.items() if v["origin"] == SUITE_ENTRY}
    label = entry.description["label"] + _changes(own, entry.recipe)
    return replace(entry, description={**entry.description, "label": label})


def _changes(values: Mapping[str, Value], recipe: Mapping[str, Any]) -> str:
    heard = {k: v for k, v in sorted(values.items()) if k in recipe}
    return f" [{', '.join(f'{k}={_short(v)}' for k, v in heard.items())}]" if heard else ""


def _layers(suite: Suite, tier: Tier, group: EntrySet, wishes: Wishes) -> list[Layer]:
    return [
        Layer(f"suite {suite.name}", suite.recipe, strict=False),
        Layer(f"tier {tier.name}", tier.recipe, strict=False),
        Layer(SUITE_ENTRY, group.recipe or {}, where=group.where),
        Layer(SET, wishes.settings, strict=False),
    ]


def _entry(
    registry: Registry,
    architecture_name: str,
    loss_name: str,
    group: EntrySet,
    layers: list[Layer],
    spec: SampleSpec,
    preset: Preset | None,
) -> Entry:
    found = registry.find("architecture", architecture_name)
    architecture: Architecture = found.record
    loss = registry.find("loss", loss_name)
    asked = _asked(registry, group)
    whole = {c.name for c in _asked(registry, preset)} if preset else set()
    others = _brought(registry, [loss, *asked], architecture.brings)
    recipe = resolve(
        (f"architecture {found.name}", architecture.recipe),
        (f"loss {loss.name}", loss.record),
        [(f"{c.kind} {c.name}", c.record) for c in others],
        layers,
    )
    check_chunks(recipe)
    values = Recipe({k: v["value"] for k, v in recipe.items()})
    components = [loss, *others]
    with asking(f"architecture {found.name}"):
        traits, refusal = architecture.traits(spec, values), architecture.accepts.refuses(spec)
    skip = refusal or _unlabelled(traits, spec) or _misfit(components, traits, spec, values)
    name = group.preset or " · ".join([found.name, loss.name])
    added = [c.name for c in asked if c.name not in whole]
    label = " + ".join([name, *added]) + _changes(layers[-1].values, recipe)
    description = {
        "label": label,
        **NO_PARTS,
        "architecture": found.name,
        "loss": loss.name,
        "regularizers": [c.name for c in asked if c.kind == "regularizer"],
        "augmentations": [c.name for c in asked if c.kind == "augmentation"],
        "preset": group.preset,
    }
    return Entry(description, tuple(c.name for c in components), recipe, "labels" in traits, skip, (found, *components))


def _asked(registry: Registry, group: EntrySet | Preset) -> list[Registered]:
    """The regularizers and augmentations that are named, each once."""
    asked = [registry.find("regularizer", n) for n in group.regularizers]
    asked += [registry.find("augmentation", n) for n in group.augmentations]
    return list({(c.kind, c.name): c for c in asked}.values())


def _game(found: Registered, group: EntrySet, suite: Suite, tier: Tier, wishes: Wishes, spec: SampleSpec) -> Entry:
    game: GameBuilder = found.record
    recipe = resolve((f"game {found.name}", game.recipe), None, [], _layers(suite, tier, group, wishes))
    check_chunks(recipe)
    with asking(f"game {found.name}"):
        skip = game.accepts.refuses(spec) or _unlabelled(game.offers, spec)
    description = {"label": found.name, **NO_PARTS, "game": found.name}
    return Entry(description, (), recipe, "labels" in game.offers, skip, (found,))


def _brought(registry: Registry, asked: list[Registered], more: Iterable[str]) -> list[Registered]:
    """The components after the first (the loss), with everything that they or the architecture bring, each once."""
    result: dict[str, Registered] = {}
    for component in asked:
        if (other := result.setdefault(component.name, component)).kind != component.kind:
            raise UsageError(f"{other.kind} and {component.kind} are both named '{component.name}': rename one of them")
    todo = [*more, *(b for c in asked for b in c.record.brings)]
    while todo:
        name = todo.pop(0)
        component = registry.component(name)
        if component.name not in result:
            result[component.name] = component
            todo += component.record.brings
    named = Counter(c.record.name for c in result.values())
    if twice := sorted(c.name for c in result.values() if named[c.record.name] > 1):
        raise UsageError(f"one entry cannot have both {' and '.join(twice)}: their recipe keys are the same")
    return list(result.values())[1:]


def _unlabelled(offers: Iterable[str], spec: SampleSpec) -> str | None:
    return "takes class labels, and the data has none" if "labels" in offers and not spec.classes else None


def _misfit(components: list[Registered], traits: frozenset[str], spec: SampleSpec, recipe: Recipe) -> str | None:
    names = tuple(c.name for c in components)
    removed = {trait: c.name for c in components for trait in c.record.removes}
    for registered in components:
        component: Component = registered.record
        for trait in component.requires:
            if trait not in traits:
                return f"{registered.name} requires '{trait}', which the architecture does not offer with this recipe"
            if trait in removed:
                return f"{registered.name} requires '{trait}', which is not to be had with {removed[trait]}"
        for trait in component.forbids:
            if trait in traits:
                return f"{registered.name} does not go with '{trait}'"
        if component.fits:
            with asking(f"{registered.kind} {registered.name}, fits"):
                reason = component.fits(spec, recipe, names)
            if reason:
                return f"{registered.name}: {reason}"
    return None


def _heard(suite: Suite, tier: Tier, wishes: Wishes, entries: list[Entry]) -> None:
    """A key that no entry declares is a mistake; in the suite only where it is run as written, not with other parts."""
    declared = {k: v["value"] for e in entries for k, v in e.recipe.items()}
    layers = [Layer(SET, wishes.settings)]
    if not (wishes.choose or wishes.add):
        layers += [Layer(f"suite {suite.name}", suite.recipe), Layer(f"tier {tier.name}", tier.recipe)]
    for layer in layers:
        resolve((layer.origin, declared), None, [], [layer])


def _short(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
