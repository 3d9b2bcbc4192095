"""The one loop: it plays a game's turns, exactly and repeatably.

A cycle takes every turn once. Before each (turn, step, repeat) torch's default generators are seeded from counters, so
the whole state of a run is its players, optimizers, components, EMA copies and a few integers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganbench.api import Batch, Game, Recipe, SampleSpec, Turn
from ganbench.errors import UsageError
from ganbench.plan.modes import REFERENCE, Mode
from ganbench.plan.seeds import derive
from ganbench.train.averaging import Average
from ganbench.train.captured import CapturedCycle
from ganbench.train.chunks import split_batch, split_batches
from ganbench.train.compiled import CompiledTurns
from ganbench.train.device import tf32
from ganbench.train.draws import Latents, Stream, seed_default
from ganbench.train.freezing import Freezer
from ganbench.train.meters import Window, gradient_norm
from ganbench.train.modes import autocast_type
from ganbench.train.names import Call, plays
from ganbench.train.optimizers import set_rates
from ganbench.train.parts import Part, call_all, parts_of
from ganbench.train.players import build_nets, make_optimizers, trained_parameters
from ganbench.train.shapes import means
from ganbench.train.state import load_into, snapshot, state_of
from ganbench.train.views import View, answers_of

COUNTERS = ("cycles", "generator_steps", "discriminator_steps", "real_images", "fake_images")


class Engine:
    """A game in play.

    game: players and turns. streams: data by stream name. latents: the run's latents. seed: of this training
    (initialisation and draws); the streams and the latents have seeds of their own. mode: narrowed to what the game can
    have.
    """

    def __init__(
        self,
        game: Game,
        recipe: Recipe,
        spec: SampleSpec,
        streams: Mapping[str, Stream],
        latents: Latents,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        mode: Mode = REFERENCE,
    ) -> None:
        if recipe["batch_size"] % recipe["accumulate"]:
            raise UsageError(
                f"accumulate={recipe['accumulate']} does not divide batch_size={recipe['batch_size']}: choose a divisor"
            )
        self.game, self.recipe, self.spec, self.seed = game, recipe, spec, seed
        self.device, self.mode = torch.device(device), mode
        self.streams, self.latents = dict(streams), latents
        self.parts = parts_of(game)
        self.nets = build_nets(game, self.parts.values(), seed, self.device, mode)
        for part in self.parts.values():
            if part.module is not None:
                part.module.to(self.device)
        self.schedule: tuple[tuple[Turn, ...], ...] = tuple(t if isinstance(t, tuple) else (t,) for t in game.turns)
        self._turns = {t.name: t for group in self.schedule for t in group}
        self._objectives = {name: Call(turn.objective) for name, turn in self._turns.items()}
        movers = {m for t in self._turns.values() for m in t.moves}
        self.parameters = trained_parameters(movers, self.nets, self.modules()["component"])
        self.optimizers = make_optimizers(movers, self.parameters, recipe, mode)
        self.freezer = Freezer(self.parameters)
        half_life = recipe["ema_half_life"]
        averaged = [n for n in game.averaged if n in self.nets and half_life > 0]
        self.averages = {n: Average(self.nets[n], half_life, recipe["ema_ramp_up"]) for n in averaged}
        self.views = self._make_views(self.nets, autocast_type(mode))
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.taken = dict.fromkeys(self._turns, 0)
        self.window, self.watch = Window(), False
        self.reals: dict[str, Batch] = {}
        self.context: dict[str, Any] = {
            "nets": self.views,
            "D": self.views.get("D"),
            "G": self.views.get("G"),
            "recipe": recipe,
            "spec": spec,
            "step": torch.zeros((), dtype=torch.int64, device=self.device),
            "progress": torch.zeros((), device=self.device),
            "engine": self,
            "own": None,
        }
        followers: list[Any] = [*self.nets.values(), *(a.copy for a in self.averages.values())]
        followers += [p.module for p in self.parts.values() if p.module is not None]
        self._compiled = CompiledTurns(self, self._turns.values()) if mode.compiled else None
        self._captured = CapturedCycle(self) if mode.captured else None
        self._followers = [Call(m.at_step) for m in followers if hasattr(m, "at_step")]
        self.set_progress(0.0)

    def _make_views(self, nets: Mapping[str, nn.Module], autocast: torch.dtype | None = None) -> dict[str, View]:
        views = {}
        for name, net in nets.items():
            chain = [self._bound_view(self.parts[c]) for c in self.game.chains.get(name, ())]
            views[name] = View(name, net, chain, autocast=autocast, channels_last=self.mode.channels_last)
        return views

    def _bound_view(self, part: Part) -> Any:
        call = part.hooks["view"]
        return lambda batch: call({**self.context, "batch": batch, "own": part.module})

    def views_of(self, variant: Mapping[str, nn.Module]) -> dict[str, View]:
        """Views of all players, some of them replaced (by an averaged copy, say), computing in float32."""
        return self._make_views({**self.nets, **variant})

    def set_progress(self, progress: float, step: int | None = None) -> None:
        """Tell everybody how far the run is: at the start of a cycle, and after loading."""
        step = self.counters["cycles"] if step is None else step
        self.told = {"step": step, "progress": progress}
        self.context["step"].fill_(step)
        self.context["progress"].fill_(progress)
        for follow in self._followers:
            follow({**self.told, "recipe": self.recipe})
        set_rates(self.optimizers, self.recipe, progress)

    def cycle(self, progress: float = 0.0, *, watch: bool = False) -> None:
        """Every turn once. watch: also take gradient norms and D's mean answers (read at the next poll)."""
        self.watch = watch
        self.set_progress(progress)
        with tf32() if self.mode.tf32 else contextlib.nullcontext():
            if self._captured and (reason := self._captured.refusal()):
                self._switch_off("captured", reason)
            if self._captured:
                self._captured.play()
            else:
                for turns, repeat in self.moves():
                    self._move(turns, repeat)
                for name, share in self.shares().items():
                    self.averages[name].move(share)
        self.counters["cycles"] += 1

    def moves(self) -> Iterator[tuple[tuple[Turn, ...], int]]:
        """The turns of this cycle in order: those that move together, and which repeat of theirs it is."""
        for group in self.schedule:
            turns = tuple(t for t in group if t.when is None or t.when(self.counters["cycles"]))
            for repeat in range(turns[0].times if turns else 0):
                yield turns, repeat

    def shares(self) -> dict[str, float]:
        """How far each average goes towards its network in this cycle."""
        batch, done = self.recipe["batch_size"], self.counters["cycles"] * self.recipe["batch_size"]
        return {name: average.share(batch, done + batch) for name, average in self.averages.items()}

    def _switch_off(self, switch: str, reason: str) -> None:
        self.mode = self.mode.without({**self.mode.off, switch: reason})
        self._compiled, self._captured = None, None

    def _move(self, turns: tuple[Turn, ...], repeat: int, purpose: str = "draws") -> None:
        """One step of each turn: all gradients first, then all optimizers, then what components remember."""
        inner = purpose != "draws"
        batch = self.recipe["batch_size"]
        drawn = any(t.draws for t in turns) or not self.reals
        if drawn:
            self.reals = {name: stream.next(batch) for name, stream in self.streams.items()}
        seen: dict[str, dict[str, list[Tensor]]] = {}
        for turn in turns:
            seed_default(derive(self.seed, purpose, turn.name, self.counters["cycles"], repeat), self.device)
            latents = self.latents.draw(batch, purpose, turn.name, self.counters["cycles"], repeat)
            if self._compiled and (reason := self._compiled.refusal(self.reals, latents)):
                self._switch_off("compiled", reason)
            if self._compiled:
                seen[turn.name] = self._compiled.play(turn, self.reals, latents)
                continue
            with contextlib.ExitStack() as stack:
                for around in () if inner else call_all(self.parts, "around", {**self.context, "turn": turn.name}):
                    stack.enter_context(around)
                seen[turn.name] = self.gradients(turn, latents, repeat, record=not inner)
        if not self._compiled:
            self.update(turns)
        if not inner:
            self.count(turns, drawn)
            self.remember(turns, seen)

    def update(self, turns: tuple[Turn, ...]) -> None:
        """A step of the optimizers of all that moved."""
        for mover in (m for turn in turns for m in turn.moves if m in self.optimizers):
            if self.recipe["clip_grad_norm"] > 0:
                nn.utils.clip_grad_norm_(self.parameters[mover], self.recipe["clip_grad_norm"])
            if self.watch:
                self.window.gradient(mover, gradient_norm(self.parameters[mover]))
            self.optimizers[mover].step()

    def count(self, turns: tuple[Turn, ...], drawn: bool) -> None:
        """Count a move. drawn: whether it saw new real samples."""
        batch = self.recipe["batch_size"]
        self.counters["real_images"] += batch * drawn
        for turn in turns:
            self.taken[turn.name] += 1
            self.counters["fake_images"] += batch * turn.makes
            for role, counter in (("G", "generator_steps"), ("D", "discriminator_steps")):
                self.counters[counter] += any(plays(role, m) for m in turn.moves)

    @torch.no_grad()
    def remember(self, turns: tuple[Turn, ...], seen: Mapping[str, Mapping[str, list[Tensor]]]) -> None:
        """What components do after a move. seen: by turn, what D answered, by origin."""
        for turn in turns:
            list(call_all(self.parts, "after", {**self.context, "turn": turn.name, "seen": seen[turn.name]}))

    def gradients(self, turn: Turn, latents: Batch, repeat: int, *, record: bool = True) -> dict[str, list[Tensor]]:
        """The gradients of a turn's players; what D answered, by origin. record: in the window."""
        self.freezer.only(turn.moves)
        for mover in turn.moves:
            for parameter in self.parameters[mover]:
                parameter.grad = None
        chunks = self.recipe["accumulate"]
        seen: dict[str, list[Tensor]] = {}
        for reals, z in zip(split_batches(self.reals, chunks), split_batch(latents, chunks), strict=True):
            for view in self.views.values():
                view.forget()
            terms = self.terms(turn, self.known(turn, reals, z, repeat))
            if terms:
                zero, one = torch.zeros((), device=self.device), next(iter(terms.values()))
                total = sum(terms.values(), start=zero) if len(terms) > 1 else one
                (total / chunks if chunks > 1 else total).backward()
            if record:
                self.record(turn, terms)
            for origin, answers in answers_of(self.views).items():
                seen.setdefault(origin, []).extend(answers)
        for view in self.views.values():
            view.forget()
        if self.watch and record:
            self.window.answers(turn.name, seen)
        return seen

    def known(self, turn: Turn, reals: Mapping[str, Batch], latents: Batch, repeat: int) -> dict[str, Any]:
        """What a turn's objective may name."""
        known = self.context | {"count": self.taken[turn.name], "reals": reals, "latents": latents}
        known |= {"last": repeat + 1 == turn.times, "real": next(iter(reals.values()), None)}
        return known

    def terms(self, turn: Turn, known: Mapping[str, Any]) -> dict[str, Tensor]:
        """The mean of each term of a turn."""
        return means(turn.name, self._objectives[turn.name](known))

    def record(self, turn: Turn, terms: Mapping[str, Tensor]) -> None:
        """Keep the terms' means until the next poll."""
        for name, value in terms.items():
            self.window.loss(f"{turn.name}/{name}", self.counters["cycles"], value.detach())

    @contextlib.contextmanager
    def inner(self, turn: str | tuple[str, ...], steps: int) -> Iterator[None]:
        """Let a turn (several: simultaneously) take inner steps; on leaving, its players, optimizers, all buffers and
        the data position are as before."""
        turns = tuple(self._turns[name] for name in ((turn,) if isinstance(turn, str) else turn))
        movers = [m for t in turns for m in t.moves if m in self.optimizers]
        tensors: list[Tensor] = [p for m in movers for p in self.parameters[m]]
        tensors += [b for modules in self.modules().values() for m in modules.values() for b in m.buffers()]
        give_back = snapshot(tensors, [self.optimizers[m] for m in movers], list(self.streams.values()))
        watch, self.watch, reals = self.watch, False, self.reals
        for step in range(steps):
            self._move(turns, step, purpose="inner")
        self.watch, self.reals = watch, reals
        yield
        give_back()

    @contextlib.contextmanager
    def eagerly(self) -> Iterator[None]:
        """Play without compiled turns and captured cycles for a while."""
        kept, self._compiled, self._captured = (self._compiled, self._captured), None, None
        try:
            yield
        finally:
            self._compiled, self._captured = kept

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything a checkpoint holds: tensors by name, and plain values."""
        return state_of(self)

    def load(self, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
        """Take up a state that `state` gave."""
        load_into(self, tensors, plain)
        if self._compiled:
            self._compiled.forget()
        if self._captured:
            self._captured.forget()

    def modules(self) -> dict[str, dict[str, nn.Module]]:
        """All modules that train or remember, by kind (`player`, `component`) and name."""
        components = {name: part.module for name, part in self.parts.items() if part.module is not None}
        return {"player": self.nets, "component": components}

    def stateful(self) -> dict[str, dict[str, nn.Module]]:
        """These, and the averaged copies (`average`)."""
        return {**self.modules(), "average": {n: a.copy for n, a in self.averages.items()}}
