"""What is measured while training, kept on the device until it is polled."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Window:
    """Losses of every cycle since the last poll; gradient norms and D's mean answers of the watched one."""

    def __init__(self) -> None:
        self._losses: dict[str, list[tuple[int, Tensor]]] = {}
        self._gradients: dict[str, Tensor] = {}
        self._answers: dict[str, Tensor] = {}

    def loss(self, name: str, cycle: int, value: Tensor) -> None:
        """Remember a term's mean."""
        self._losses.setdefault(name, []).append((cycle, value))

    def gradient(self, player: str, norm: Tensor | None) -> None:
        """Remember the norm of a player's gradient, where it has one."""
        if norm is not None:
            self._gradients[player] = norm

    def answers(self, turn: str, seen: Mapping[str, list[Tensor]]) -> None:
        """Remember D's mean answers by origin."""
        for origin, values in seen.items():
            self._answers[f"{turn}/{origin}"] = torch.cat([v.reshape(-1) for v in values]).mean()

    def columns(self) -> list[tuple[str, str]]:
        """Kind and name of everything that is remembered."""
        losses = [("loss", name) for name, values in self._losses.items() for _ in values]
        return [*losses, *(("gradient", n) for n in self._gradients), *(("answer", n) for n in self._answers)]

    def values(self) -> list[Tensor]:
        """The values in the order of `columns`, each ()."""
        losses = [v for values in self._losses.values() for _, v in values]
        return [*losses, *self._gradients.values(), *self._answers.values()]

    def add(self, columns: Sequence[tuple[str, str]], values: Sequence[Tensor], cycle: int, watched: bool) -> None:
        """Remember what another window had in one cycle; all but losses only of a watched one."""
        for (kind, name), value in zip(columns, values, strict=True):
            if kind == "loss":
                self.loss(name, cycle, value)
            elif watched:
                (self._gradients if kind == "gradient" else self._answers)[name] = value

    def poll(self) -> tuple[dict[str, Any], int | None]:
        """Means since the last poll, and the first cycle with a non-finite loss.

        The one place that waits for the device.
        """
        first_bad: int | None = None
        losses: dict[str, float] = {}
        for name, values in self._losses.items():
            numbers = torch.stack([v for _, v in values]).tolist()
            bad = next((c for (c, _), n in zip(values, numbers, strict=True) if not math.isfinite(n)), None)
            if bad is not None:
                first_bad = bad if first_bad is None else min(first_bad, bad)
            losses[name] = sum(numbers) / len(numbers)
        event = {
            "losses": losses,
            "gradient_norms": {k: v.item() for k, v in self._gradients.items()},
            "answers": {k: v.item() for k, v in self._answers.items()},
        }
        self._losses, self._gradients, self._answers = {}, {}, {}
        return event, first_bad

    def state(self) -> tuple[dict[str, Tensor], dict[str, list[int]]]:
        """For a checkpoint between two polls."""
        return {k: torch.stack([v for _, v in values]) for k, values in self._losses.items()}, {
            k: [c for c, _ in values] for k, values in self._losses.items()
        }

    def load(self, tensors: Mapping[str, Tensor], cycles: Mapping[str, list[int]]) -> None:
        """Take up what `state` gave, on the device where losses come to be."""
        self._losses = {k: list(zip(cycles[k], tensors[k].unbind(), strict=True)) for k in cycles}
        self._gradients, self._answers = {}, {}


def gradient_norm(parameters: Sequence[nn.Parameter]) -> Tensor | None:
    """The norm of all gradients together; None where there is none."""
    grads = [p.grad for p in parameters if p.grad is not None]
    return torch.stack(torch._foreach_norm(grads)).norm() if grads else None
