"""One run folder from `spec.json` to `trained.json`: train, look, checkpoint, sample."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ganbench.errors import UsageError
from ganbench.plan.spec import RunSpec
from ganbench.plugins import Registry
from ganbench.record.environment import environment
from ganbench.record.files import write_json_atomic
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint
from ganbench.train.device import gpu_facts
from ganbench.train.events import EventLog
from ganbench.train.probes import measure_probes
from ganbench.train.sampling import Sampler, variants, weights_hash, write_grid, write_samples
from ganbench.train.setup import build_engine
from ganbench.train.throughput import Clock, flops_of_a_cycle

CHECKPOINT_SECONDS = 60.0
IDLE_CYCLES = 100
"""Cycles in a row that do not advance the budget, after which nothing is expected to."""


class Interrupted(Exception):
    """The run was asked to stop; its checkpoint is written."""


class Run:
    """A run in its folder. stop: asked after every cycle; True checkpoints and raises `Interrupted`."""

    def __init__(
        self,
        spec: RunSpec,
        registry: Registry,
        folder: Path,
        device: torch.device,
        *,
        shared_device: bool = False,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.spec, self.folder, self.device, self.stop = spec, folder, device, stop
        self.shared_device = shared_device
        self.engine, dtype = build_engine(spec, registry, device)
        self.sampler = Sampler(self.engine, dtype, self.engine.seed)
        self.environment = environment(gpu_facts(device))
        self.counter, self.amount = spec.budget["counter"], float(spec.budget["amount"])
        self.looks: list[dict[str, Any]] = []
        self.flops = 0
        self.clock = Clock(device)
        self.checkpoint = folder / "checkpoint.safetensors"
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
        offset = self._resume()
        if not self.checkpoint.exists():
            self.flops = flops_of_a_cycle(self.engine)
        self.events = EventLog(self.folder / "events.jsonl", offset)
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
            idle = idle + 1 if self.progress() <= progress else 0
            if idle == IDLE_CYCLES:
                raise UsageError(f"no turn of this game advances the budget's '{self.counter}': name another counter")
            progress = self.progress()
            stopping = self.stop()
            look = self._look_due(progress)
            if watch or progress >= 1.0:
                bad = self._poll(progress)
                if bad is not None:
                    return bad
            elif look or stopping:
                self.clock.window(engine.counters["real_images"])
            if look:
                self._look()
            if stopping or time.monotonic() - self._saved > CHECKPOINT_SECONDS:
                self._save()
                if stopping and progress < 1.0:
                    raise Interrupted(f"stopped at cycle {self.step}")
            if look or stopping:
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
        event = {"kind": "progress", "progress": min(progress, 1.0), **counted, **measured, "images_per_second": rate}
        self.events.write({"cycle": self.step, **event})
        for name, value in measure_probes(self.engine).items():
            self.events.write({"cycle": self.step, "kind": "probe", "name": name, "value": value})
        for name, part in self.engine.parts.items():
            memory = (
                {k: v.item() for k, v in part.module.named_buffers() if v.numel() == 1}
                if part.module is not None
                else {}
            )
            if memory:
                self.events.write({"cycle": self.step, "kind": "memory", "component": name, "values": memory})
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
        write_samples(self.folder, name, samples, labels)
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
        self.events.write({"kind": "look", **self.looks[-1]})

    def _save(self) -> None:
        tensors, plain = self.engine.state()
        save_checkpoint(
            self.checkpoint,
            tensors,
            {
                **plain,
                "run_id": self.spec.run_id,
                "torch": torch.__version__,
                "machine": self.environment["machine"],
                "offset": self.events.offset,
                "looks": self.looks,
                "seconds": self.clock.seconds,
                "rates": self.clock.rates,
                "flops": self.flops,
            },
        )
        self._saved = time.monotonic()

    def _resume(self) -> int:
        """Take up the checkpoint, if there is one of this run; the offset in `events.jsonl` where it was taken."""
        if not self.checkpoint.exists():
            return 0
        tensors, plain = load_checkpoint(self.checkpoint, self.device)
        here = {"run_id": self.spec.run_id, "torch": torch.__version__, "machine": self.environment["machine"]}
        for key, value in here.items():
            if plain.get(key) != value:
                raise UsageError(
                    f"{self.checkpoint}: was written with {key} {plain.get(key)}, here it is {value}; "
                    "delete the checkpoint to start this run anew (ganbench run --resume all does it for all)"
                )
        self.engine.load(tensors, plain)
        self.looks, self.flops = plain["looks"], plain["flops"]
        self.clock = Clock(self.device, plain["seconds"], plain["rates"])
        return int(plain["offset"])

    def _finish(self, bad: int | None) -> None:
        engine = self.engine
        kinds = variants(engine) if bad is None else []
        rate = 0.0
        for number, variant in enumerate(kinds):
            views = self.sampler.networks(variant["name"])
            write_samples(
                self.folder, variant["name"], *self.sampler.draw(views, self.spec.score["samples"], "evaluation")
            )
            if number == 0:
                rate = self.sampler.rate(views)
                if engine.spec.modality == "image":
                    write_grid(self.folder / "samples.png", self.sampler.grid(views))
        write_json_atomic(
            self.folder / "trained.json",
            {
                "status": "completed" if bad is None else "diverged",
                "reason": None if bad is None else f"a loss or a weight was not finite at cycle {bad}",
                "last_step": self.step if bad is None else bad,
                "counters": {**engine.counters, "seconds": self.clock.seconds},
                "throughput": self.clock.summary(rate, self.shared_device),
                "parameters": {n: sum(p.numel() for p in net.parameters()) for n, net in engine.nets.items()},
                "flops_per_cycle": self.flops,
                "switches": engine.mode.switches(),
                "couples_samples": any(p.couples_samples for p in engine.parts.values()),
                "variants": kinds,
                "looks": self.looks,
                "environment": self.environment,
                "weights": {n: weights_hash(net) for n, net in engine.nets.items()},
            },
        )
        self.checkpoint.unlink(missing_ok=True)
