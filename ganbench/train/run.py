"""One run folder from `spec.json` to `trained.json`: train, look, checkpoint, sample."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import torch

from ganbench.code_hash import code_hash
from ganbench.errors import UsageError
from ganbench.plan.spec import RunSpec
from ganbench.plugins import Registry
from ganbench.record.checkpoints import NAME, remove_checkpoints
from ganbench.record.files import remove_unfinished, write_json_atomic
from ganbench.record.pulse import Pulse
from ganbench.train import pictures
from ganbench.train.checkpoint import save_checkpoint
from ganbench.train.device import training_environment
from ganbench.train.events import EventLog
from ganbench.train.probes import measure_probes
from ganbench.train.resume import circumstances, find_checkpoint
from ganbench.train.room import Room
from ganbench.train.sampling import Sampler, remove_samples, variants, weights_hash, write_samples
from ganbench.train.setup import build_engine
from ganbench.train.shapes import forms_held, hold_samples
from ganbench.train.throughput import Clock, flops_of_a_cycle

Made = TypeVar("Made")
CHECKPOINT_SECONDS = 60.0
EVENTS = "events.jsonl"
IDLE_CYCLES = 100
"""Cycles in a row that do not advance the budget, after which nothing is expected to."""
ENGINE_CODE = code_hash(sys.modules[__name__])
"""Of this file and of all that it imports of ganbench: taken when they are imported, for an edit comes later."""


class Interrupted(Exception):
    """The run was asked to stop; its checkpoint is written."""


class Run:
    """A run in its folder.

    stop: asked after every cycle; True checkpoints and raises `Interrupted`. forced: take up a checkpoint that was
    written with other versions or code of the engine, or on another kind of machine. checkpoint_seconds: between two
    checkpoints; no bit depends on it.
    """

    def __init__(
        self,
        spec: RunSpec,
        registry: Registry,
        folder: Path,
        device: torch.device,
        *,
        shared_device: bool = False,
        forced: bool = False,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.spec, self.folder, self.device, self.stop = spec, folder, device, stop
        self.shared_device, self.forced, self._checkpoint_seconds = shared_device, forced, checkpoint_seconds
        self.pulse = Pulse(folder)
        self.room = Room(folder, stop, self.pulse.beat)
        self.engine, dtype = build_engine(spec, registry, device)
        self.sampler = Sampler(self.engine, dtype, self.engine.seed, self.pulse.beat)
        self.environment = training_environment(device)
        self.counter, self.amount = spec.budget["counter"], float(spec.budget["amount"])
        self.looks: list[dict[str, Any]] = []
        self.forces: list[dict[str, Any]] = []
        self.flops = 0
        self.clock = Clock(device)
        self.checkpoint = folder / NAME
        self._saved = time.monotonic()

    @property
    def step(self) -> int:
        """Cycles so far."""
        return self.engine.counters["cycles"]

    def progress(self) -> float:
        """Share of the budget used."""
        done = self.clock.now() if self.counter == "seconds" else self.engine.counters[self.counter]
        return done / self.amount

    def train(self) -> None:
        """Train to the end of the budget, and leave samples, grid and `trained.json`."""
        remove_unfinished(self.folder)
        offset = self._resume()
        if offset is None:
            own = bool(self.spec.entry["game"])
            if own:
                count = self.engine.recipe["batch_size"]
                hold_samples(self.sampler.trial(count), (count, *self.engine.spec.shape))
            with contextlib.nullcontext() if own else forms_held(self.engine):
                offset, self.flops = 0, flops_of_a_cycle(self.engine)
        self.events = EventLog(self.folder / EVENTS, offset)
        try:
            bad = self._loop()
        finally:
            self.events.close()
        self._finish(bad)

    def _loop(self) -> int | None:
        engine, every = self.engine, self._poll_every()
        self.clock.start(engine.counters["real_images"])
        progress, idle = self.progress(), 0
        while progress < 1.0:
            watch = (self.step + 1) % every == 0
            engine.cycle(progress, watch=watch)
            self.pulse.beat()
            idle = idle + 1 if self.progress() <= progress else 0
            if idle == IDLE_CYCLES:
                raise UsageError(f"no turn of this game advances the budget's '{self.counter}': name another counter")
            progress = self.progress()
            stopping = self.stop()
            saving = stopping or time.monotonic() - self._saved > self._checkpoint_seconds
            look = self._look_due(progress)
            if watch or progress >= 1.0:
                bad = self._poll(progress)
                if bad is not None:
                    return bad
            elif look or saving:
                self.clock.window(engine.counters["real_images"])
            if look:
                self._look()
            if saving:
                self._save()
                if stopping and progress < 1.0:
                    raise Interrupted(f"stopped at cycle {self.step}")
            if look or saving:
                self.clock.start(engine.counters["real_images"])
        return None

    def _poll_every(self) -> int:
        """Cycles between two polls: about a hundred polls a run, at most 100 cycles apart; a function of the
        spec alone."""
        if self.counter == "seconds":
            return 50
        recipe, steps = self.engine.recipe, {"generator_steps": 1}
        steps["discriminator_steps"] = recipe["d_steps"]
        steps["real_images"] = recipe["d_steps"] * recipe["batch_size"]
        return max(1, min(100, math.ceil(self.amount / steps[self.counter] / 100)))

    def _poll(self, progress: float) -> int | None:
        rate = self.clock.window(self.engine.counters["real_images"])
        measured, bad = self.engine.window.poll()
        if bad is None and not self._weights_finite():
            bad = self.step
        counted = {**self.engine.counters, "seconds": round(self.clock.seconds, 3)}
        progressed = {"kind": "progress", "progress": min(progress, 1.0), **counted, **measured}
        events = [{**progressed, "images_per_second": rate}]
        events += [{"kind": "probe", "name": n, "value": v} for n, v in measure_probes(self.engine).items()]
        for name, part in self.engine.parts.items():
            buffers = part.module.named_buffers() if part.module is not None else ()
            if memory := {k: v.item() for k, v in buffers if v.numel() == 1}:
                events.append({"kind": "memory", "component": name, "values": memory})
        self._when_there_is_room(lambda: self.events.write(*({"cycle": self.step, **e} for e in events)))
        return bad

    def _weights_finite(self) -> bool:
        parameters = [p.detach() for net in self.engine.nets.values() for p in net.parameters()]
        return bool(torch.stack(torch._foreach_norm(parameters)).isfinite().all()) if parameters else True

    def _look_due(self, progress: float) -> bool:
        count = self.spec.score["looks"]["count"]
        return len(self.looks) < count and progress >= (len(self.looks) + 1) / count

    def _look(self) -> None:
        """Samples for an early look, scored later against the validation split."""
        variant = next(v["name"] for v in variants(self.engine) if v["headline"])
        samples, labels = self.sampler.draw(self.sampler.networks(variant), self.spec.score["looks"]["samples"], "look")
        name = f"look-{self.step:07d}"
        self._when_there_is_room(lambda: write_samples(self.folder, name, samples, labels))
        counters = self.engine.counters
        self.looks.append(
            {
                "cycle": self.step,
                "real_images": counters["real_images"],
                "generator_steps": counters["generator_steps"],
                "seconds": round(self.clock.seconds, 3),
                "variant": variant,
                "file": name,
            }
        )
        self._when_there_is_room(lambda: self.events.write({"kind": "look", **self.looks[-1]}))

    def _save(self) -> None:
        tensors, plain = self.engine.state()
        more = {
            "run_id": self.spec.run_id,
            "made_with": circumstances(self.environment, ENGINE_CODE),
            "forced": self.forces,
            "offset": self.events.offset,
            "looks": self.looks,
            "seconds": self.clock.seconds,
            "rates": self.clock.rates,
            "flops": self.flops,
        }

        def save() -> None:
            self.events.sync()
            save_checkpoint(self.checkpoint, tensors, {**plain, **more})

        self._when_there_is_room(save)
        self._saved = time.monotonic()

    def _when_there_is_room(self, write: Callable[[], Made]) -> Made:
        made, waited = self.room.wait(write)
        self.clock.leave_out(waited)
        return made

    def _resume(self) -> int | None:
        """Take up the checkpoint, if there is one of this run; the offset in `events.jsonl` where it was taken."""
        here = circumstances(self.environment, ENGINE_CODE)
        found = find_checkpoint(self.checkpoint, self.folder / EVENTS, self.spec.run_id, here, self.forced)
        if found is None:
            return None
        try:
            self.engine.load(found.tensors, found.plain)
        except (LookupError, TypeError, ValueError, RuntimeError, AttributeError, ArithmeticError) as error:
            first = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise UsageError(
                f"{found.file}: does not hold what this run consists of ({first}); delete it to start the run anew"
            ) from None
        plain = found.plain
        self.looks, self.flops, self.forces = plain["looks"], plain["flops"], plain["forced"]
        if found.differences:
            self.forces.append({"cycle": self.step, "differences": found.differences})
        self.clock = Clock(self.device, plain["seconds"], plain["rates"])
        return int(plain["offset"])

    def _finish(self, bad: int | None) -> None:
        engine, streams = self.engine, self.engine.streams.values()
        resident = all(stream.resident for stream in streams)
        kinds = variants(engine) if bad is None else []
        rate = 0.0
        for number, variant in enumerate(kinds):
            views = self.sampler.networks(variant["name"])
            drawn = self.sampler.draw(views, self.spec.score["samples"], "evaluation")
            pace = self.sampler.pace
            self.room.wait(partial(write_samples, self.folder, variant["name"], *drawn))
            if number == 0:
                rate = pace or self.sampler.rate(views)
                if pictures.wanted(engine.spec):
                    real = next(iter(streams)).stored.cpu().numpy()
                    drawn_over = partial(pictures.write, self.folder, engine.spec, self.sampler.shown(views), real)
                    self.room.wait(drawn_over)
        trained = {
            "status": "completed" if bad is None else "diverged",
            "reason": None if bad is None else f"a loss or a weight was not finite at cycle {bad}",
            "last_step": self.step if bad is None else bad,
            "counters": {**engine.counters, "seconds": self.clock.seconds},
            "throughput": self.clock.summary(rate, self.shared_device, resident),
            "parameters": {n: sum(p.numel() for p in net.parameters()) for n, net in engine.nets.items()},
            "flops_per_cycle": self.flops,
            "switches": engine.mode.switches(),
            "couples_samples": any(p.couples_samples for p in engine.parts.values()),
            "variants": kinds,
            "looks": self.looks if bad is None else self._good_looks(bad),
            "forced": self.forces,
            "environment": self.environment,
            "weights": {n: weights_hash(net) for n, net in engine.nets.items()},
        }
        self.room.wait(lambda: write_json_atomic(self.folder / "trained.json", trained))
        remove_checkpoints(self.checkpoint)

    def _good_looks(self, bad: int) -> list[dict[str, Any]]:
        """The early looks of a run that diverged at cycle `bad`: those at weights that gave finite losses."""
        good = [look for look in self.looks if look["cycle"] < bad]
        for look in self.looks[len(good) :]:
            remove_samples(self.folder, look["file"])
        return good
