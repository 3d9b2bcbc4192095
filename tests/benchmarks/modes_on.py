"""Modes against the plain eager loop on a device, and how many runs of a mode pay on one device; figures as JSON.

    python3 tests/benchmarks/modes_on.py against --device cuda:0 --modes reference,captured,fast --out FILE
    python3 tests/benchmarks/modes_on.py together --device cuda:0 --modes reference --most 8 --out FILE

`against`: each round times the plain loop as torch is by default, the plain loop in the settings of a run (float32
without TF32, deterministic), and each mode, in an order that turns. The ratio is that of the faster plain loop to the
mode. A mode that raises is left out and named; what was measured is written after each round from the third on.
`together`: 1, 2, 4, … processes train at the same time, and their images per second are added up.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from loops import Contest, Steps, interval_of_median

from ganbench import SampleSpec, plugins
from ganbench.plan.modes import find_mode
from ganbench.record.environment import environment
from ganbench.train.device import gpu_facts, reference_mode, synchronize
from ganbench.train.modes import refusal

T = TypeVar("T")
PLAIN = ("plain as torch is", "plain as a run is")
ROUND = 0.25
"""Seconds of the slowest side's share of a round."""
PAYS = 1.1
"""How many times as many images twice as many runs must see together."""


def main() -> None:
    """Measure, and write what was measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=["against", "together", "one"])
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--architecture", default="dcgan")
    parser.add_argument("--loss", default="wgan-gp", choices=["wgan-gp", "non-saturating"])
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--modes", default="reference")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--limit", type=float, default=90.0, help="seconds after which no round begins")
    parser.add_argument("--most", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    reference_mode(torch.device(asked.device), 1)
    settings = {"width": asked.width}
    contest = Contest(asked.architecture, SampleSpec((1, 28, 28)), 1, settings, asked.loss, asked.device)
    {"against": against, "together": together, "one": one}[asked.what](contest, asked)


def _keep(asked: argparse.Namespace, found: dict[str, Any]) -> None:
    if asked.out:
        asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def against(contest: Contest, asked: argparse.Namespace) -> None:
    """Ratios of the faster plain loop's time to each mode's, with 95 % intervals of the median over rounds."""
    began, registry = time.monotonic(), plugins.load()
    plain = "plain_wgan_gp" if asked.loss == "wgan-gp" else "plain"
    sides: dict[str, tuple[Contest, Steps]] = {}
    refused: dict[str, str] = {}
    switches: dict[str, Any] = {}
    kind, facts = asked.device.partition(":")[0], _facts(contest, asked)
    for name in (*PLAIN, *asked.modes.split(",")):
        if name not in PLAIN and (why := refusal(find_mode(name), kind)):
            refused[name] = why
            continue

        def make(sized: Contest, name: str = name) -> Steps:
            if name in PLAIN:
                return getattr(sized, plain)(registry)
            return _watched(sized, registry, name, switches)

        if side := _tried(name, partial(_sized, contest, make, name), refused):
            sides[name] = side
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(asked.rounds):
        if number >= 3 and time.monotonic() - began > asked.limit:
            break
        order = list(sides)
        for name in order[number % len(order) :] + order[: number % len(order)]:
            seconds = _tried(name, partial(_timed, name, *sides[name]), refused)
            if seconds is None:
                del sides[name], times[name]
            else:
                times[name].append(seconds)
        if number >= min(2, asked.rounds - 1):
            _keep(asked, {**facts, "rounds": number + 1, "modes": _ratios(times, switches), "refused": refused})
    for name, found in _ratios(times, switches).items():
        said = f"{found['ratio']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"
        print(f"{name}: {said}, {found['images_per_second_D']:.0f} images/s by D", flush=True)
    for name, why in refused.items():
        print(f"{name}: refused, {why.splitlines()[0]}", flush=True)


def _tried(name: str, work: Callable[[], T], refused: dict[str, str]) -> T | None:
    """What a side's work gives; None where a mode raised, which is then said to refuse."""
    try:
        return work()
    except Exception as error:
        if name in PLAIN:
            raise
        traceback.print_exc()
        refused[name] = f"{type(error).__name__}: {error}"
        return None


def _ratios(times: dict[str, list[float]], switches: dict[str, Any]) -> dict[str, Any]:
    """Of each side's times by round."""
    slowest_allowed = [min(pair) for pair in zip(*(times[name] for name in PLAIN), strict=True)]
    modes = {}
    for name, values in times.items():
        ratios = np.array([p / t for p, t in zip(slowest_allowed, values, strict=True)])
        low, high = interval_of_median(ratios)
        rate = statistics.median(1 / t for t in values)
        modes[name] = {"ratio": float(np.median(ratios)), "low": low, "high": high, "images_per_second_D": rate}
        modes[name]["switches"] = switches.get(name)
    return modes


def _watched(contest: Contest, registry: Any, mode: str, switches: dict[str, Any]) -> Steps:
    engine = contest.engine(registry, mode)

    def steps() -> None:
        for _ in range(contest.steps):
            engine.cycle()
        synchronize(engine.device)
        engine.window.poll()
        switches[mode] = engine.mode.switches()

    return steps


def _sized(contest: Contest, make: Callable[[Contest], Steps], name: str) -> tuple[Contest, Steps]:
    """A side whose rounds last about `ROUND` seconds."""
    trial = make(contest)
    _timed(name, contest, trial)
    start = time.perf_counter()
    for _ in range(3):
        _timed(name, contest, trial)
    seconds = (time.perf_counter() - start) / 3
    sized = dataclasses.replace(contest, steps=max(1, round(ROUND / seconds)))
    steps = make(sized)
    steps()
    return sized, steps


def _timed(name: str, contest: Contest, steps: Steps) -> float:
    """Seconds for each real image that D saw."""
    if name == "plain as torch is":
        torch.set_deterministic_debug_mode("default")
        torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32 = False, True
    start = time.perf_counter()
    steps()
    passed = time.perf_counter() - start
    reference_mode(torch.device(contest.device), 1)
    d_steps = 5 if contest.loss == "wgan-gp" else 1
    return passed / (contest.steps * d_steps * 64)


def together(contest: Contest, asked: argparse.Namespace) -> None:
    """Images per second by D of 1, 2, 4, … processes at the same time, and how many of them pay."""
    found: dict[str, dict[str, float]] = {}
    for mode in asked.modes.split(","):
        rates = found[mode] = dict[str, float]()
        count = 1
        while count <= asked.most:
            rates[str(count)] = sum(_processes(asked, mode, count))
            print(f"{mode}, {count} at a time: {rates[str(count)]:.0f} images/s by D", flush=True)
            pay = {name: _paying(seen) for name, seen in found.items()}
            _keep(asked, {**_facts(contest, asked), "images_per_second_D": found, "pays": pay})
            if count > 1 and rates[str(count)] < PAYS * rates[str(count // 2)]:
                break
            count *= 2


def _paying(rates: dict[str, float]) -> int:
    """The largest number of runs up to which each doubling paid."""
    count = 1
    while rates.get(str(2 * count), 0.0) >= PAYS * rates[str(count)]:
        count *= 2
    return count


def _processes(asked: argparse.Namespace, mode: str, count: int) -> list[float]:
    """Rates of processes that begin when all are ready."""
    words = ["--device", asked.device, "--loss", asked.loss, "--architecture", asked.architecture, "--modes", mode]
    command = [sys.executable, __file__, "one", *words, "--width", str(asked.width), "--seconds", str(asked.seconds)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    several = [subprocess.Popen(command, **pipes) for _ in range(count)]  # type: ignore[call-overload]
    for process in several:
        assert process.stdout.readline() == "ready\n"
    for process in several:
        process.stdin.write("go\n")
        process.stdin.flush()
    return [float(process.communicate()[0]) for process in several]


def one(contest: Contest, asked: argparse.Namespace) -> None:
    """What `together` starts: says ready, waits for a line, trains for some seconds, says how many images it saw."""
    engine = contest.engine(plugins.load(), asked.modes)
    for _ in range(3):
        engine.cycle()
    synchronize(engine.device)
    print("ready", flush=True)
    sys.stdin.readline()
    before, start = engine.counters["real_images"], time.perf_counter()
    while time.perf_counter() < start + asked.seconds:
        for _ in range(5):
            engine.cycle()
        synchronize(engine.device)
        engine.window.poll()
    print((engine.counters["real_images"] - before) / (time.perf_counter() - start), flush=True)


def _facts(contest: Contest, asked: argparse.Namespace) -> dict[str, Any]:
    label = {"architecture": contest.architecture, "loss": contest.loss, "shape": [1, 28, 28], "batch_size": 64}
    device = torch.device(asked.device)
    return {**label, **contest.settings, "device": asked.device, "environment": environment(gpu_facts(device))}


if __name__ == "__main__":
    main()
