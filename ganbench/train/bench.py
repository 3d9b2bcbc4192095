"""How fast an entry trains in a mode: windows of steady training on made-up data, and where a step's time goes."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from ganbench.api import Game, SampleSpec, Turn
from ganbench.plan.modes import REFERENCE
from ganbench.plugins import Registry
from ganbench.train.device import reference_mode, synchronize, tf32, training_environment
from ganbench.train.draws import Latents, Stream
from ganbench.train.engine import Engine
from ganbench.train.modes import autocast_type
from ganbench.train.sampling import Sampler, variants
from ganbench.train.setup import Asked, assemble
from ganbench.train.throughput import Clock, flops_of_a_cycle

DATA = 2_048
WINDOWS = 20
"""Windows that the seconds of a measurement are divided into, warm-up aside."""
FORMS = {"image": torch.uint8, "video": torch.uint8, "audio": torch.int16}
"""The declared form of made-up samples by modality; float32 where none is named."""
SIZES, LARGE = (256, 512, 1024, 2048), (4096, 8192)
"""Matrix sizes among which the best rate is looked for; a GPU is at its best with large ones."""
IN_A_ROW = 10
"""Products that a GPU is given before it is waited for."""


def measure(asked: Asked, registry: Registry, device_name: str, seconds: float = 10.0) -> dict[str, Any]:
    """Throughput of an entry on a device with one CPU thread, in about four times `seconds` or less.

    Images per second by D (real ones) and by G (as many generated ones as its steps see), each the median and quartiles
    over windows of training; samples per second; peak memory in bytes; parameters; FLOPs of a cycle, per second and as
    a share of the best matrix product's; `profile`: a separate eager run in the reference mode, in seconds of a cycle.
    """
    device = torch.device(device_name)
    reference_mode(device, 1)
    engine = _engine(asked, registry, device)
    cycle_flops = flops_of_a_cycle(engine)
    clock = Clock(device)
    first = _cycle_seconds(engine)
    per_window = max(1, round(seconds / WINDOWS / first))
    clock.start(engine.counters["real_images"])
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends or len(clock.rates) < 3:
        for _ in range(per_window):
            engine.cycle()
        clock.window(engine.counters["real_images"])
    sampler = Sampler(engine, FORMS.get(asked.spec.modality, torch.float32), seed=0)
    views = sampler.networks(next(v["name"] for v in variants(engine) if v["headline"]))
    summary = clock.summary(sampler.rate(views), shared=False, resident=True)
    assert summary is not None
    counters = engine.counters
    generated = counters["generator_steps"] * engine.recipe["batch_size"] / counters["real_images"]
    by_d = [summary["images_per_second"], *summary["spread"]]
    rate = by_d[0] / (counters["real_images"] / counters["cycles"])
    with tf32() if engine.mode.tf32 else contextlib.nullcontext():
        peak = peak_rate(device, autocast_type(engine.mode) or torch.float32)
    return {
        "mode": asked.mode.name,
        "switches": engine.mode.switches(),
        "images_per_second_D": by_d,
        "images_per_second_G": [value * generated for value in by_d],
        "windows": summary["windows"],
        "samples_per_second": summary["sampling_rate"],
        "peak_memory_bytes": summary["peak_memory_bytes"],
        "parameters": {n: sum(p.numel() for p in net.parameters()) for n, net in engine.nets.items()},
        "flops_per_cycle": cycle_flops,
        "flops_per_second": rate * cycle_flops,
        "peak_flops_per_second": peak,
        "share_of_peak": rate * cycle_flops / peak,
        "environment": training_environment(device),
        "profile": _profile(asked, registry, device, seconds / 4),
    }


def peak_rate(device: torch.device, dtype: torch.dtype, seconds: float = 1.0) -> float:
    """The best rate of a matrix product, in floating-point operations per second, here and now."""
    best, large = 0.0, device.type == "cuda"
    sizes, count = (*SIZES, *(LARGE if large else ())), IN_A_ROW if large else 1
    for size in sizes:
        try:
            a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
            ends = time.perf_counter() + seconds / len(sizes)
            a @ b
        except torch.OutOfMemoryError:
            break
        while time.perf_counter() < ends:
            synchronize(device)
            start = time.perf_counter()
            for _ in range(count):
                a @ b
            synchronize(device)
            best = max(best, count * 2 * size**3 / (time.perf_counter() - start))
    return best


def _engine(
    asked: Asked,
    registry: Registry,
    device: torch.device,
    change: Callable[[Game], Game] = lambda game: game,
    penalties: bool = True,
) -> Engine:
    """The entry on made-up data. penalties: whether components beside the loss have their terms."""
    spec, generator = asked.spec, torch.Generator().manual_seed(0)
    stored, y = _made_up(spec, generator), None
    if spec.classes:
        y = torch.randint(spec.classes, (DATA,), generator=generator).to(device)
    shares = torch.full((spec.classes,), 1 / spec.classes) if spec.classes else None
    streams = {"A": Stream(stored.to(device), y, spec, seed=0)}
    latents = Latents(asked.recipe, 0, device, shares)
    return assemble(asked, registry, streams, latents, 0, device, change=change, penalties=penalties)


def _made_up(spec: SampleSpec, generator: torch.Generator) -> torch.Tensor:
    dtype = FORMS.get(spec.modality, torch.float32)
    if dtype == torch.uint8:
        return torch.randint(256, (DATA, *spec.shape), generator=generator, dtype=dtype)
    if dtype == torch.int16:
        return torch.randint(-(2**15), 2**15, (DATA, *spec.shape), generator=generator, dtype=dtype)
    return torch.randn((DATA, *spec.shape), generator=generator).clamp_(-1, 1)


def _cycle_seconds(engine: Engine) -> float:
    """Seconds of a cycle, the second one: the first one also warms up."""
    engine.cycle()
    synchronize(engine.device)
    start = time.perf_counter()
    engine.cycle()
    synchronize(engine.device)
    return time.perf_counter() - start


def _profile(asked: Asked, registry: Registry, device: torch.device, seconds: float) -> dict[str, float]:
    """Median seconds of each turn of a cycle (all its repeats), eager and in the reference mode; `penalty`: what D's
    turn takes less without the terms of the components beside the loss. Both are timed in turns."""
    plain = dataclasses.replace(asked, mode=REFERENCE)
    laps = [_Laps(device), _Laps(device)]
    engines = [_engine(plain, registry, device, lap.watch, bool(i)) for i, lap in enumerate(laps)]
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends or len(laps[1].cycles) < 4:
        for engine, lap in zip(engines, laps, strict=True):
            lap.cycle(engine)
    bare, whole = (
        {turn: statistics.median(c.get(turn, 0.0) for c in lap.cycles[1:]) for turn in lap.cycles[-1]} for lap in laps
    )
    found = dict(whole)
    if "D" in whole and engines[0].parts and any(p.discriminator for p in list(engines[1].parts.values())[1:]):
        found["penalty"] = max(0.0, whole["D"] - bare["D"])
        found["D"] = whole["D"] - found["penalty"]
    return found


class _Laps:
    """Times the turns of cycles: a turn lasts from when its objective is asked to when the next one's is."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.cycles = device, list[dict[str, float]]()
        self._turn, self._since = "", 0.0

    def watch(self, game: Game) -> Game:
        """The game with objectives that tell when they are asked."""
        turns = tuple(tuple(map(self._told, t)) if isinstance(t, tuple) else self._told(t) for t in game.turns)
        return dataclasses.replace(game, turns=turns)

    def cycle(self, engine: Engine) -> None:
        """One cycle; what comes before its first objective (data, latents) counts to its first turn."""
        self.cycles.append({})
        first = engine.schedule[0][0].name
        synchronize(self.device)
        self._turn, self._since = first, time.perf_counter()
        engine.cycle()
        self._pass("")

    def _told(self, turn: Turn) -> Turn:
        @functools.wraps(turn.objective)
        def objective(*args: Any, **kwargs: Any) -> Any:
            if turn.name != self._turn:
                self._pass(turn.name)
            return turn.objective(*args, **kwargs)

        return dataclasses.replace(turn, objective=objective)

    def _pass(self, turn: str) -> None:
        synchronize(self.device)
        now = time.perf_counter()
        lap = self.cycles[-1]
        lap[self._turn] = lap.get(self._turn, 0.0) + now - self._since
        self._turn, self._since = turn, now
