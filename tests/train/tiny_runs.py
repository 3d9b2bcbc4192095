"""Runs that take a second: how they are planned, and what they leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganbench import plugins
from ganbench.plan.build import plan
from ganbench.plan.data import resolve_data
from ganbench.plan.entries import Wishes
from ganbench.plan.spec import RunSpec
from ganbench.plan.suite import read_suite
from ganbench.record.files import file_hash

PARTS = Path(__file__).with_name("run_parts.py")
CLOCK = {"seconds", "images_per_second"}
SUITE = """
version = 1
dataset = "mnist-5k"
extractor = "mnist-cnn"
metrics = "frechet-distance"
headline = "fd/mnist-cnn"
scale = ["constant"]

[tiers.tiny]
budget = {{ {budget} }}
seeds = 1
samples = 20
looks = {{ count = 2, samples = 10 }}
recipe = {{ batch_size = 8, latent = 4, ema_half_life = 100.0 }}
entries = [{{ {entry} }}]
"""
Planner = Callable[..., RunSpec]


def plan_runs(parts: plugins.Registry, file: Path, entry: str, budget: str, **settings: Any) -> list[RunSpec]:
    """The row of the scale and the one run of a suite with this entry and budget; its file is left at `file`."""
    file.write_text(SUITE.format(entry=entry, budget=budget))
    suite = read_suite(file)
    tier = suite.tier(None)
    data = resolve_data(suite, tier, parts)
    return list(plan(suite, tier, parts, data, device="cpu", wishes=Wishes(settings=settings)).runs)


def read(folder: Path, name: str = "trained.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name).read_text())
    return found


def told(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]


def lasting(folder: Path) -> dict[str, Any]:
    """All that a run leaves, but for what a clock said."""
    trained = {k: v for k, v in read(folder).items() if k != "throughput"}
    trained["counters"] = {k: v for k, v in trained["counters"].items() if k not in CLOCK}
    trained["looks"] = [{k: v for k, v in look.items() if k not in CLOCK} for look in trained["looks"]]
    events = [{k: v for k, v in event.items() if k not in CLOCK} for event in told(folder)]
    return {"trained": trained, "events": events, "samples": {f.name: file_hash(f) for f in folder.rglob("*.npy")}}
