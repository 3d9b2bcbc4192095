"""A cycle as one graph: every turn of D and G with its penalties, the optimizers, what components remember, averages.

A graph does the same work on the same memory each time, so what changes from cycle to cycle lies in tensors that are
filled before each: latents, labels, the numbers of the real samples, learning rates, step and progress, the averages'
shares. Random numbers that are drawn inside come from torch's default generators, which are seeded once a cycle (the
eager loop: once a turn), so that a cycle depends on counters alone and a resumed run on nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganbench.api import Batch, Turn
from ganbench.plan.seeds import derive
from ganbench.train import graphs
from ganbench.train.device import is_out_of_memory, synchronize
from ganbench.train.draws import seed_default, to_device
from ganbench.train.meters import Window
from ganbench.train.optimizers import FusedAdam
from ganbench.train.state import unsteady

if TYPE_CHECKING:
    from ganbench.train.engine import Engine

Move = tuple[tuple[Turn, ...], int]
"""Turns that move together, and which repeat it is."""


class CapturedCycle:
    """The cycles of an engine, captured when the first of them is played."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._replay: graphs.Body | None = None
        self._moves: list[Move] = []
        self._inputs: dict[str, Tensor] = {}
        self._columns: list[tuple[str, str]] = []
        self._report = torch.empty(0)
        self._unsteady = unsteady(engine)

    def refusal(self) -> str | None:
        """Why the cycle cannot be captured; None if it is, by now. The engine's state is what it was."""
        if self._replay is not None:
            return None
        engine = self.engine
        if self._unsteady:
            return f"{self._unsteady}: its cycles are not all the same"
        self._moves = list(engine.moves())
        positions = {name: stream.position for name, stream in engine.streams.items()}
        self._inputs = {name: value.to(engine.device) for name, value in self._drawn().items()}
        for name, position in positions.items():
            engine.streams[name].position = position
        for optimizer in engine.optimizers.values():
            assert isinstance(optimizer, FusedAdam)
            optimizer.begin()
        tensors = self._state()
        kept = {name: tensor.detach().clone() for name, tensor in tensors.items()}
        try:
            with graphs.Rehearsal():
                self._play()
            for name, tensor in self._state().items():
                if tensor is not tensors.get(name):
                    raise graphs.Unfit(f"{name} is replaced by another tensor, where it should be changed in place")
            self._replay = graphs.graph(self._play, engine.device)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return f"its cycle cannot be captured ({' '.join(str(error).split())[:200]})"
        finally:
            with torch.no_grad():
                for name, tensor in self._state().items():
                    tensor.copy_(kept[name])
        return None

    def play(self) -> None:
        """One cycle."""
        engine = self.engine
        assert self._replay is not None
        cycle = engine.counters["cycles"]
        for name, value in self._drawn().items():
            self._inputs[name].copy_(to_device(value, engine.device))
        seed_default(derive(engine.seed, "cycle", cycle), engine.device)
        self._replay()
        values = self._report.clone().unbind()  # the next replay writes over it
        engine.window.add(self._columns, values, cycle, engine.watch)
        for turns, _ in self._moves:
            engine.count(turns, _draws(turns))

    def forget(self) -> None:
        """The optimizers' state was replaced, and the graph knows the old one only: capture anew."""
        if self._replay is not None:
            synchronize(self.engine.device)  # it may still run
        self._replay = None

    def _drawn(self) -> dict[str, Tensor]:
        """What this cycle is given, on the host: latents and labels of each turn, numbers of the real samples of each
        move that draws some (and the samples, where the data is not resident), shares of the averages."""
        engine, latents, labels, reals = self.engine, [], [], dict[str, list[Tensor]]()
        batch, cycle = engine.recipe["batch_size"], engine.counters["cycles"]
        for turns, repeat in self._moves:
            for name, stream in engine.streams.items() if _draws(turns) else ():
                index, samples = stream.drawn(batch)
                reals.setdefault(f"index/{name}", []).append(index)
                if samples is not None:
                    reals.setdefault(f"samples/{name}", []).append(samples)
            for turn in turns:
                z, y = engine.latents.on_host(batch, "draws", turn.name, cycle, repeat)
                latents.append(z)
                labels.append(y)
        drawn = {"z": torch.stack(latents), **{name: torch.stack(values) for name, values in reals.items()}}
        drawn |= {f"share/{name}": torch.tensor(share) for name, share in engine.shares().items()}
        return drawn | ({} if labels[0] is None else {"y": torch.stack([y for y in labels if y is not None])})

    def _play(self) -> None:
        """The cycle on what `_inputs` holds; nothing else in it changes from one to the next."""
        engine, inputs = self.engine, self._inputs
        window, watch, reals = engine.window, engine.watch, engine.reals
        engine.window, drawn, played = Window(), 0, 0
        try:
            for turns, repeat in self._moves:
                if _draws(turns):
                    engine.reals = {name: self._real(name, drawn) for name in engine.streams}
                    drawn += 1
                engine.watch = repeat + 1 == turns[0].times  # a window keeps the last one's norms and answers
                seen = {}
                for turn in turns:
                    y = inputs["y"][played] if "y" in inputs else None
                    latents = Batch(z=inputs["z"][played], y=y, origin="latent")
                    seen[turn.name] = engine.gradients(turn, latents, repeat)
                    played += 1
                engine.update(turns)
                engine.remember(turns, seen)
            for name, average in engine.averages.items():
                average.move(inputs[f"share/{name}"])
            self._columns = engine.window.columns()
            self._report = torch.stack([value.float() for value in engine.window.values()])
        finally:
            engine.window, engine.watch, engine.reals = window, watch, reals

    def _real(self, name: str, number: int) -> Batch:
        """The batch of a data stream that a move draws."""
        samples = self._inputs.get(f"samples/{name}")
        index = self._inputs[f"index/{name}"][number]
        return self.engine.streams[name].take(index, None if samples is None else samples[number])

    def _state(self) -> dict[str, Tensor]:
        """All tensors that a cycle may change, by name."""
        tensors: dict[str, Tensor] = {}
        for kind, modules in self.engine.stateful().items():
            for name, module in modules.items():
                both = (*module.named_parameters(), *module.named_buffers())
                tensors |= {f"{kind}/{name}/{key}": tensor for key, tensor in both}
        for name, optimizer in self.engine.optimizers.items():
            for index, parameter in enumerate(self.engine.parameters[name]):
                tensors |= {f"optimizer/{name}/{index}/{k}": v for k, v in optimizer.state[parameter].items()}
        return tensors


def _draws(turns: tuple[Turn, ...]) -> bool:
    return any(turn.draws for turn in turns)
