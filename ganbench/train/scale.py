"""Rows that give the scale: samples that no generator made, left where a trained run leaves its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ganbench.api import Dataset, ScaleRow
from ganbench.plan.seeds import derive
from ganbench.plan.spec import RunSpec
from ganbench.plugins import Registry
from ganbench.record.environment import environment
from ganbench.record.files import write_json_atomic
from ganbench.train import pictures
from ganbench.train.sampling import write_samples


def make_scale_row(spec: RunSpec, registry: Registry, folder: Path) -> None:
    """Write the row's samples (a row that is a split of the reference has none), its grid and `trained.json`."""
    row: ScaleRow = registry.get("scale-row", spec.entry["scale"])
    dataset: Dataset = registry.get("dataset", next(iter(spec.data.values()))["name"])
    variant: dict[str, object] = {"name": "scale", "batch_norm": None, "headline": True}
    if row.split is not None:
        variant["split"] = row.split
    else:
        assert row.samples is not None
        generator = np.random.default_rng(derive(spec.suite_seed, "scale", spec.entry["scale"]))
        samples, _ = row.samples(dataset.load, spec.score["samples"], generator)
        write_samples(folder, "scale", samples, None)
        if count := pictures.wanted(dataset.spec):
            pictures.write(folder, dataset.spec, samples[:count], dataset.load("train")[0])
    write_json_atomic(
        folder / "trained.json",
        {"status": "completed", "variants": [variant], "looks": [], "environment": environment()},
    )
