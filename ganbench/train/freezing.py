"""Players that do not move are frozen: no gradient is computed for their parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from torch import nn


class Freezer:
    """Sets `requires_grad` of players' parameters, and touches only what changes.

    parameters: by player, those that are trained at all; they begin unfrozen.
    """

    def __init__(self, parameters: Mapping[str, Sequence[nn.Parameter]]) -> None:
        self._parameters = parameters
        self._moving = dict.fromkeys(parameters, True)

    def only(self, movers: Sequence[str]) -> None:
        """Freeze everybody but these."""
        for name, parameters in self._parameters.items():
            if self._moving[name] != (name in movers):
                self._moving[name] = name in movers
                for parameter in parameters:
                    parameter.requires_grad_(name in movers)

    @contextlib.contextmanager
    def thawed(self, player: str) -> Iterator[None]:
        """Let a player take part for a while: what it makes keeps its graph, for a turn of its own later."""
        before = [name for name, moving in self._moving.items() if moving]
        self.only([*before, player])
        try:
            yield
        finally:
            self.only(before)
