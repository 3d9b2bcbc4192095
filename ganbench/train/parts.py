"""Components, built: their module, their hooks and their terms, bound to what they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from ganbench.api import Component, Game, Recipe, SampleSpec
from ganbench.train.names import Call

HOOKS = ("view", "latents", "inputs", "weigh", "opponent", "around", "after", "at_step")
ORDER = {"augment": 0, "noise": 1, "pack": 2}


@dataclass(frozen=True)
class Part:
    """A component of one game. hooks: those that its module has, by name."""

    name: str
    module: Any
    hooks: dict[str, Call]
    discriminator: Call | None = None
    generator: Call | None = None
    weight: float = 1.0
    every: int = 1
    heads: tuple[str, ...] = ()
    couples_samples: bool = False

    @property
    def order(self) -> int:
        """Where its view stands: augment before noise before pack."""
        return ORDER[getattr(self.module, "order", "augment")]


def wrap_module(name: str, module: Any, **fields: Any) -> Part:
    """A part around a module that a game built itself."""
    hooks = {h: Call(getattr(module, h)) for h in HOOKS if module is not None and hasattr(module, h)}
    return Part(name, module, hooks, **fields)


def parts_of(game: Game) -> dict[str, Part]:
    """The components of a game, by name; modules that it built itself are wrapped."""
    return {n: p if isinstance(p, Part) else wrap_module(n, p) for n, p in game.components.items()}


def call_all(parts: Mapping[str, Part], hook: str, known: Mapping[str, Any]) -> Iterator[Any]:
    """Call a hook of every component that has it; what they give, but for None."""
    for part in parts.values():
        if hook in part.hooks:
            given = part.hooks[hook]({**known, "own": part.module})
            if given is not None:
                yield given


def build_parts(
    components: Iterable[Component],
    spec: SampleSpec,
    recipe: Recipe,
    seed_for: Callable[[str], None] = lambda name: None,
) -> list[Part]:
    """Build each component in order; `seed_for(name)` seeds torch's default generators before each."""
    parts = []
    for component in components:
        seed_for(component.name)
        module = component.build(spec, recipe) if component.build else None
        if module is not None and not isinstance(module, nn.Module):
            raise TypeError(f"{component.name}: build must give an nn.Module, not {type(module).__name__}")
        parts.append(
            wrap_module(
                component.name,
                module,
                discriminator=Call(component.discriminator) if component.discriminator else None,
                generator=Call(component.generator) if component.generator else None,
                weight=recipe.get(f"{component.name}.weight", 1.0),
                every=recipe.get(f"{component.name}.every", component.every),
                heads=component.heads,
                couples_samples=component.couples_samples,
            )
        )
    return parts
