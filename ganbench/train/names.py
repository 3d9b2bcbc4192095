"""Functions name what they need: their parameter names are looked up once, when a game is built."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

INTERNAL = {"context", "count", "last"}
"""What the standard game hands itself, and nobody else should name."""


class Call:
    """A function bound to the names it asks for; called with a mapping that has them.

    `context` is that mapping itself, which must not hold itself: whatever tensors it has would then stay until Python
    looks for cycles of references.
    """

    __slots__ = ("function", "names")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.names = tuple(
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) and p.default is p.empty
        )

    def __call__(self, context: Mapping[str, Any]) -> Any:
        try:
            arguments = {name: context if name == "context" else context[name] for name in self.names}
        except KeyError as missing:
            there = ", ".join(
                sorted(name for name, value in context.items() if value is not None and name not in INTERNAL)
            )
            told = f"{self.function.__qualname__} asks for {missing}, which is not to be had here"
            raise TypeError(f"{told}; there is {there}") from None
        return self.function(**arguments)


def forward_fields(net: Any) -> tuple[tuple[str, bool], ...]:
    """The fields that a network's `forward` takes: (name, whether it is required)."""
    return tuple(
        (p.name, p.default is p.empty)
        for p in inspect.signature(net.forward).parameters.values()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    )


def plays(role: str, player: str) -> bool:
    """Whether a player is a generator (`G`, `G_…`) or a discriminator (`D`, `D_…`)."""
    return player == role or player.startswith(f"{role}_")
