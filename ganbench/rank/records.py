"""Records from folders: found, read and checked. Files are untrusted: what is used later has its type checked here."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError
from ganbench.record.files import read_json

Record = dict[str, Any]

KINDS = ("trained", "scale", "foreign")
FINISHED = ("completed", "diverged", "skipped")
LOST = ("crashed", "oom", "killed", "timeout", "interrupted")

_RUN_FILES = ("spec.json", "result.json", "error.json")
_NULL = type(None)
_NUMBER = (int, float)
_REQUIRED: dict[str, tuple[type, ...]] = {
    "run_id": (str,),
    "kind": (str,),
    "status": (str,),
    "finished": (str,),
    "seed": (int,),
    "suite.id": (str,),
    "suite.name": (str,),
    "suite.version": (int,),
    "suite.tier": (str,),
    "suite.title": (str,),
    "suite.table": (str,),
    "suite.ranks": (bool,),
    "suite.headline": (str,),
    "suite.columns": (list,),
    "entry.key": (str,),
    "entry.label": (str,),
}
_OPTIONAL: dict[str, tuple[type, ...]] = {
    "reason": (str, _NULL),
    "suite.note": (str, _NULL),
    "suite.levels": (dict, _NULL),
    "entry.role": (str, _NULL),
    "entry.mode": (str, _NULL),
    "entry.conditional": (bool, _NULL),
    "entry.seeded": (bool, _NULL),
    "counters": (dict, _NULL),
    "counters.seconds": (*_NUMBER, _NULL),
    "throughput": (dict, _NULL),
    "throughput.images_per_second": (*_NUMBER, _NULL),
    "throughput.peak_memory_bytes": (*_NUMBER, _NULL),
    "throughput.shared_device": (bool, _NULL),
    "parameters": (dict, _NULL),
    "parameters.G": (*_NUMBER, _NULL),
    "parameters.D": (*_NUMBER, _NULL),
    "scores": (list, _NULL),
    "sanity": (dict, _NULL),
    "environment": (dict, _NULL),
    "environment.machine": (str, _NULL),
    "plugins": (list, _NULL),
    "looks": (list, _NULL),
    "forced": (list, _NULL),
}
_LOOK: dict[str, tuple[type, ...]] = {
    "cycle": (int, _NULL),
    "column": (str, _NULL),
    "value": (*_NUMBER, _NULL),
    "n": (int, _NULL),
}
_SCORE: dict[str, tuple[type, ...]] = {
    "variant": (str,),
    "column": (str,),
    "value": (*_NUMBER, _NULL),
    "skipped": (str, _NULL),
    "direction": (str,),
    "positive": (bool,),
    "n": (int, _NULL),
    "headline_variant": (bool,),
    "fingerprint": (str, _NULL),
    "comparability": (str, _NULL),
    "cautions": (list, _NULL),
}
_MISSING = object()


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
            if any(name in files for name in _RUN_FILES):
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
    version = _get(record, "schema_version")
    _require(file, "schema_version", version, (int,))
    if version < 1:
        raise _broken(file, "schema_version", f"{version} never existed")
    for key, types in _REQUIRED.items():
        _require(file, key, _get(record, key), types)
    for key, types in _OPTIONAL.items():
        if (value := _get(record, key)) is not _MISSING:
            _require(file, key, value, types)
    _one_of(file, "kind", record["kind"], KINDS)
    _one_of(file, "status", record["status"], FINISHED if file.name == "result.json" else LOST)
    for at, column in enumerate(record["suite"]["columns"]):
        _require(file, f"suite.columns[{at}]", column, (str,))
    for level, conditions in (record["suite"].get("levels") or {}).items():
        _require(file, f"suite.levels.{level}", conditions, (dict,))
    for at, score in enumerate(record.get("scores") or []):
        _require(file, f"scores[{at}]", score, (dict,))
        for key, types in _SCORE.items():
            _require(file, f"scores[{at}].{key}", score.get(key, None if _NULL in types else _MISSING), types)
        for text in score.get("cautions") or []:
            _require(file, f"scores[{at}].cautions", text, (str,))
        _one_of(file, f"scores[{at}].direction", score["direction"], ("lower", "higher", "none"))
    for at, look in enumerate(record.get("looks") or []):
        _require(file, f"looks[{at}]", look, (dict,))
        for key, types in _LOOK.items():
            _require(file, f"looks[{at}].{key}", look.get(key), types)
    for at, forced in enumerate(record.get("forced") or []):
        _require(file, f"forced[{at}]", forced, (dict,))
        _require(file, f"forced[{at}].differences", forced.get("differences", _MISSING), (dict,))
    for variant, sanity in (record.get("sanity") or {}).items():
        _check_sanity(sanity, file, f"sanity.{variant}")


def _check_sanity(sanity: Any, file: Path, where: str) -> None:
    _require(file, where, sanity, (dict,))
    _require(file, f"{where}.confidence", sanity.get("confidence"), (*_NUMBER, _NULL))
    _require(file, f"{where}.histogram", sanity.get("histogram"), (list, _NULL))
    for share in sanity.get("histogram") or []:
        _require(file, f"{where}.histogram", share, _NUMBER)


def _get(record: Mapping[str, Any], dotted: str) -> Any:
    value: Any = record
    for key in dotted.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return _MISSING
        value = value[key]
    return value


def _require(file: Path, key: str, value: Any, types: tuple[type, ...]) -> None:
    if value is _MISSING:
        raise _broken(file, key, "missing")
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        wanted = " or ".join("null" if kind is _NULL else kind.__name__ for kind in types)
        raise _broken(file, key, f"{type(value).__name__}, not {wanted}")
    if isinstance(value, _NUMBER) and not isinstance(value, bool) and not _finite(value):
        raise _broken(file, key, "not a finite number")


def _finite(value: float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _one_of(file: Path, key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise _broken(file, key, f"{value!r}, not one of {', '.join(allowed)}")


def _broken(file: Path, key: str, problem: str) -> UsageError:
    return UsageError(f"{file}: `{key}` is {problem}; restore the file or remove its folder")
