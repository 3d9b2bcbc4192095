"""A planned run on tiny images, and what training would leave in its folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganbench import plugins
from ganbench.plan.build import plan
from ganbench.plan.data import resolve_data
from ganbench.plan.spec import RunSpec
from ganbench.plan.suite import read_suite
from ganbench.record.files import write_json_atomic

TINY = Path(__file__).with_name("tiny_plugin.py")
SUITE = """
title = "Tiny"
version = 1
dataset = "tiny"
extractor = ["tiny-net"]
metrics = ["frechet-distance", "classifier-score", "kid", "precision-recall", "label-gap"]
headline = "fd/tiny-net"
scale = ["real", "noise"]
[tiers.quick]
budget = { real_images = 640 }
seeds = 1
samples = 600
looks = { count = 2, samples = 200 }
params = { kid = { subsets = 5, subset_size = 300 }, precision-recall = { samples = 400 } }
entries = [{ architecture = "mlp", loss = "non-saturating" }]
"""


@dataclass
class Tiny:
    """Planned runs by label, and the images of the data set."""

    registry: plugins.Registry
    runs: dict[str, RunSpec]
    place: Path

    def images(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        return self.registry.get("dataset", "tiny").load(split)

    def trained(self, name: str = "run", **changes: Any) -> Path:
        """A folder as training leaves it: real images, with more noise from one file to the next."""
        folder = self.place / name
        next(run for run in self.runs.values() if run.kind == "trained").write(folder)
        (folder / "samples").mkdir(exist_ok=True)
        x, y = self.images("train")
        for number, (file, n) in enumerate({"last-ema": 600, "last-raw": 600, "look-1": 200, "look-2": 200}.items()):
            noise = np.random.default_rng(number).normal(0, 10 * (number + 1), x.shape)
            np.save(folder / "samples" / f"{file}.npy", (x + noise).clip(0, 255).astype(np.uint8)[:n])
            np.save(folder / "samples" / f"{file}.labels.npy", y[:n])
        variants = [
            {"name": "last-ema", "batch_norm": "recomputed", "headline": True},
            {"name": "last-raw", "batch_norm": "running", "headline": False},
        ]
        looks = [{"cycle": 5 * k, "real_images": 320 * k, "seconds": 1.5 * k, "file": f"look-{k}"} for k in (1, 2)]
        trained = {"status": "completed", "reason": None, "last_step": 10, "counters": {"real_images": 640}}
        write_json_atomic(folder / "trained.json", {**trained, "variants": variants, "looks": looks, **changes})
        return folder

    def scale(self, label: str, variant: dict[str, Any], samples: np.ndarray | None = None) -> Path:
        """A folder of a row of the scale."""
        folder = self.place / label
        self.runs[label].write(folder)
        if samples is not None:
            (folder / "samples").mkdir()
            np.save(folder / "samples" / "scale.npy", samples)
        named = {"name": "scale", "batch_norm": None, "headline": True, **variant}
        write_json_atomic(folder / "trained.json", {"status": "completed", "variants": [named]})
        return folder


@pytest.fixture(scope="session")
def tiny_registry() -> plugins.Registry:
    return plugins.load([str(TINY)])


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_registry: plugins.Registry) -> Tiny:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "tiny.toml").write_text(SUITE)
    registry = tiny_registry
    suite = read_suite(tmp_path / "tiny.toml")
    made = plan(suite, suite.tier(None), registry, resolve_data(suite, suite.tier(None), registry), device="cpu")
    return Tiny(registry, {run.entry["label"]: run for run in made.runs}, tmp_path)


@pytest.fixture
def result() -> Callable[[Path], dict[str, Any]]:
    return lambda folder: json.loads((folder / "result.json").read_text())


@pytest.fixture
def plugin() -> str:
    return str(TINY)
