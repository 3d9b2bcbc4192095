"""Records from folders: found, read and checked. Files are untrusted: what is used later has its type checked here."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError
from ganbench.record.files import read_json
from ganbench.record.schema import (
    DIRECTIONS,
    NULL,
    NUMBER,
    RUN_FILES,
    SUITE,
    Types,
    broken,
    one_of,
    require,
    require_each,
    require_fields,
)

Record = dict[str, Any]

KINDS = ("trained", "scale", "foreign")
FINISHED = ("completed", "diverged", "skipped")
LOST = ("crashed", "oom", "killed", "timeout", "interrupted")

_FIELDS: dict[str, Types] = {
    "run_id": (str,),
    "kind": (str,),
    "status": (str,),
    "finished": (str,),
    "seed": (int,),
    **SUITE,
    "entry.key": (str,),
    "entry.label": (str,),
    "reason": (str, NULL),
    "entry.architecture": (str, NULL),
    "entry.loss": (str, NULL),
    "entry.preset": (str, NULL),
    "entry.game": (str, NULL),
    "entry.regularizers": (list, NULL),
    "entry.augmentations": (list, NULL),
    "entry.role": (str, NULL),
    "entry.mode": (str, NULL),
    "entry.conditional": (bool, NULL),
    "entry.seeded": (bool, NULL),
    "counters": (dict, NULL),
    "counters.seconds": (*NUMBER, NULL),
    "counters.cycles": (int, NULL),
    "counters.generator_steps": (int, NULL),
    "last_step": (int, NULL),
    "throughput": (dict, NULL),
    "throughput.images_per_second": (*NUMBER, NULL),
    "throughput.peak_memory_bytes": (*NUMBER, NULL),
    "throughput.shared_device": (bool, NULL),
    "flops_per_cycle": (*NUMBER, NULL),
    "parameters": (dict, NULL),
    "parameters.G": (*NUMBER, NULL),
    "parameters.D": (*NUMBER, NULL),
    "scores": (list, NULL),
    "sanity": (dict, NULL),
    "environment": (dict, NULL),
    "environment.machine": (str, NULL),
    "environment.versions": (dict, NULL),
    "suite.budget": (dict, NULL),
    "weights": (dict, NULL),
    "plugins": (list, NULL),
    "asked": (dict, NULL),
    "looks": (list, NULL),
    "forced": (list, NULL),
}
_ITEMS: dict[str, dict[str, Types]] = {
    "scores": {
        "variant": (str,),
        "column": (str,),
        "value": (*NUMBER, NULL),
        "skipped": (str, NULL),
        "not_finite": (bool, NULL),
        "direction": (str,),
        "positive": (bool,),
        "n": (int, NULL),
        "headline_variant": (bool,),
        "fingerprint": (str, NULL),
        "comparability": (str, NULL),
        "cautions": (list, NULL),
        "sampling_error": (dict, NULL),
        "parts": (dict, NULL),
    },
    "plugins": {"module": (str, NULL), "sha256": (str, NULL)},
    "looks": {
        "cycle": (int, NULL),
        "real_images": (int, NULL),
        "seconds": (*NUMBER, NULL),
        "column": (str, NULL),
        "value": (*NUMBER, NULL),
        "n": (int, NULL),
        "fingerprint": (str, NULL),
        "split": (str, NULL),
    },
    "forced": {"differences": (dict,)},
}
_ERROR: dict[str, Types] = {"value": NUMBER, "method": (str,), "groups": (int, NULL)}
_SANITY: dict[str, Types] = {"confidence": (*NUMBER, NULL), "histogram": (list, NULL)}


def load_records(dirs: Iterable[str | Path]) -> list[Record]:
    """Every record under these folders (each a run folder, or a tree that holds some), in the order of their paths.

    A run folder without a result or an error is still pending and gives nothing.
    """
    records = (read_record(folder) for folder in find_runs(dirs))
    return [record for record in records if record is not None]


def find_runs(dirs: Iterable[str | Path]) -> list[Path]:
    """The run folders under these folders, sorted, each once; links to folders are not followed."""
    found: dict[Path, Path] = {}
    places = [Path(place) for place in dirs]
    for place in places:
        if not place.is_dir():
            raise UsageError(f"no folder {place}: give a folder that `ganbench run` or `ganbench publish` wrote")
        for folder, inner, files in os.walk(place):
            if any(name in files for name in RUN_FILES):
                inner.clear()
                found.setdefault(Path(folder).resolve(), Path(folder))
            inner.sort()
    if not found:
        raise UsageError(f"no runs under {', '.join(map(str, places)) or 'no folder'}: `ganbench run` makes some")
    return [found[key] for key in sorted(found)]


def record_file(folder: Path) -> Path | None:
    """The file that says how the run ended: `result.json`, else `error.json`, else None (pending)."""
    return next((folder / name for name in ("result.json", "error.json") if (folder / name).is_file()), None)


def read_record(folder: Path) -> Record | None:
    """The checked record of one run folder, or None while it is pending."""
    file = record_file(folder)
    if file is None:
        return None
    record = read_json(file)
    _check(record, file)
    return record


def _check(record: Record, file: Path) -> None:
    if record["schema_version"] < 1:
        raise broken(file, "schema_version", f"{record['schema_version']} never existed")
    require_fields(file, record, _FIELDS)
    one_of(file, "kind", record["kind"], KINDS)
    one_of(file, "status", record["status"], FINISHED if file.name == "result.json" else LOST)
    require_each(file, "suite.columns", record["suite"]["columns"], (str,))
    for name in ("regularizers", "augmentations"):
        require_each(file, f"entry.{name}", record["entry"].get(name) or [], (str,))
    for level, conditions in (record["suite"].get("levels") or {}).items():
        require(file, f"suite.levels.{level}", conditions, (dict,))
    for name, fields in _ITEMS.items():
        for at, item in enumerate(record.get(name) or []):
            require(file, f"{name}[{at}]", item, (dict,))
            require_fields(file, item, fields, f"{name}[{at}]")
            item.update({key: None for key in fields if key not in item})
    for at, score in enumerate(record.get("scores") or []):
        for text in score["cautions"] or []:
            require(file, f"scores[{at}].cautions", text, (str,))
        if score["sampling_error"] is not None:
            require_fields(file, score["sampling_error"], _ERROR, f"scores[{at}].sampling_error")
        for part, value in (score["parts"] or {}).items():
            require(file, f"scores[{at}].parts.{part}", value, (*NUMBER, NULL))
        one_of(file, f"scores[{at}].direction", score["direction"], DIRECTIONS)
    for player, digest in (record.get("weights") or {}).items():
        require(file, f"weights.{player}", digest, (str, NULL))
    for variant, sanity in (record.get("sanity") or {}).items():
        require(file, f"sanity.{variant}", sanity, (dict,))
        require_fields(file, sanity, _SANITY, f"sanity.{variant}")
        for share in sanity.get("histogram") or []:
            require(file, f"sanity.{variant}.histogram", share, NUMBER)
