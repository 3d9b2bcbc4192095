"""Record dicts as a run leaves them, and run folders that hold them. Names are made up: rank reads records alone."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

HEADLINE = "distance/net"
OTHERS = ("kernel/net", "recall/net", "spread/net")
COMPARABILITY = "c0ffee000001"
FINGERPRINTS = {name: hashlib.sha256(name.encode()).hexdigest()[:12] for name in (HEADLINE, *OTHERS)}
SCALE = {
    "floor": ("true", 0.652),
    "collapse": ("ten", 76.2),
    "degenerate": ("flat", 696.0),
    "ceiling": ("snow", 6670.0),
}


def suite(**changes: Any) -> dict[str, Any]:
    """The suite part; a tier with ranks unless told otherwise."""
    return {
        "id": "toys-full", "name": "toys", "version": 1, "tier": "full", "title": "Toys, unconditional",
        "table": "as published", "ranks": True, "note": "", "headline": HEADLINE, "columns": [HEADLINE, *OTHERS],
        "budget": {"real_images": 60_000},
        "levels": {
            "learnt": {"below_role": "collapse", "recall_at_least": 0.3, "histogram_tv_at_most": 0.2},
            "readable": {"below_share_of_degenerate": 0.5},
        },
        **changes,
    }  # fmt: skip


def score(
    column: str, value: float | None, variant: str = "last-ema", main: bool = True, **changes: Any
) -> dict[str, Any]:
    """One score."""
    return {
        "variant": variant, "batch_norm": "recomputed", "column": column, "value": value, "skipped": None,
        "direction": "higher" if column.startswith("recall") else "lower", "unit": "",
        "positive": not column.startswith("kernel"), "n": 10_000, "split": "test", "headline_variant": main,
        "fingerprint": FINGERPRINTS.get(column, "0" * 12), "comparability": COMPARABILITY, "measurement": {}, **changes,
    }  # fmt: skip


def record(
    label: str = "deep · hinge", seed: int = 0, value: float | None = 139.0, status: str = "completed", **changes: Any
) -> dict[str, Any]:
    """One entry × one seed; `changes` replace top-level fields, `entry` and `suite` are merged into theirs."""
    entry = {
        "label": label, "key": hashlib.sha256(label.encode()).hexdigest(), "architecture": "deep", "loss": "hinge",
        "regularizers": [], "augmentations": [], "preset": None, "game": None, "scale": None, "role": None,
        "recipe": {}, "mode": "reference", "conditional": False, **changes.pop("entry", {}),
    }  # fmt: skip
    scored = status == "completed"
    scores = [
        score(HEADLINE, value),
        score(OTHERS[0], (value or 1) / 900),
        score(OTHERS[1], 0.412),
        score(OTHERS[2], 3.7),
    ]
    made = {
        "schema_version": 1,
        "run_id": hashlib.sha256(f"{label}{seed}{changes.get('suite')}".encode()).hexdigest()[:16],
        "kind": "trained", "status": status, "reason": None, "last_step": 938, "finished": "2026-01-02T03:04:05Z",
        "suite": suite(**changes.pop("suite", {})), "entry": entry, "seed": seed,
        "counters": {"cycles": 938, "real_images": 60_032, "seconds": 41.2 + seed},
        "throughput": {"images_per_second": 1457.0 + seed, "peak_memory_bytes": 412_000_000, "shared_device": False},
        "parameters": {"G": 350_211, "D": 260_113}, "scores": scores if scored else [],
        "sanity": {"last-ema": {"histogram": [0.1] * 10, "confidence": 0.93}} if scored else {}, "looks": [],
        "environment": {
            "python": "3.11.7", "system": "Linux", "versions": {"torch": "2.9.0", "other": None},
            "cpu": {"model": "Some CPU", "cores": 2}, "gpu": None, "machine": "abc",
        },
        "plugins": [{"module": "deep", "sha256": "ab" * 32}], "api_version": 1, "data": {}, "weights": {},
    }  # fmt: skip
    return copy.deepcopy({**made, **changes})


def scale_record(role: str, **changes: Any) -> dict[str, Any]:
    """A row of the scale, by its role in `SCALE`."""
    name, value = SCALE[role]
    scores = [score(HEADLINE, value, "scale"), score(OTHERS[1], 0.9 if role == "floor" else 0.0, "scale")]
    made = record(
        name, 0, value, kind="scale", scores=scores, throughput=None, parameters={}, counters={}, sanity={}, **changes
    )
    made["entry"] |= {"role": role, "scale": name}
    return made


def scale_records(**changes: Any) -> list[dict[str, Any]]:
    """All rows of the scale."""
    return [scale_record(role, **changes) for role in SCALE]


def rows(**values: list[float]) -> list[dict[str, Any]]:
    """Completed records: label -> one value a seed."""
    return [record(label, seed, value) for label, found in values.items() for seed, value in enumerate(found)]


def write(folder: Path, records: list[dict[str, Any]], grid: bool = True) -> Path:
    """Run folders under `folder`, as `ganbench run` leaves them."""
    for made in records:
        home = folder / made["suite"]["id"] / made["run_id"]
        home.mkdir(parents=True, exist_ok=True)
        name = "result.json" if made["status"] in ("completed", "diverged", "skipped") else "error.json"
        (home / name).write_text(json.dumps(made))
        (home / "spec.json").write_text(json.dumps({"schema_version": 1, "run_id": made["run_id"]}))
        if grid and made["status"] == "completed":
            noise = np.random.default_rng(0).integers(0, 256, (320, 256), np.uint8)
            Image.fromarray(noise).save(home / "samples.png")
    return folder
