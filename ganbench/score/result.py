"""What training left (`trained.json`) and what scoring made of it → `result.json`, which finishes the run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError, short
from ganbench.plan.spec import RunSpec
from ganbench.record.files import read_json, write_json_atomic
from ganbench.record.head import EARLIER, EARLIER_SPEC, head
from ganbench.record.schema import NULL, Types, require, require_fields

STATUSES = ("completed", "diverged")
CARRIED: dict[str, Any] = {
    "status": None,
    "reason": None,
    "last_step": 0,
    "counters": {},
    "throughput": None,
    "parameters": {},
    "flops_per_cycle": None,
    "switches": {},
    "couples_samples": None,
    "forced": [],
    "environment": {},
    "weights": {},
}
"""What a record has from `trained.json`, as it is there, and what it says where that is silent."""

LISTS: dict[str, dict[str, Types]] = {
    "variants": {"name": (str,), "split": (str, NULL), "headline": (bool, NULL)},
    "looks": {"cycle": (int,), "file": (str,)},
}


def read_trained(folder: Path) -> dict[str, Any]:
    """`trained.json`, with the parts that scoring relies on checked."""
    file = folder / "trained.json"
    if not file.is_file():
        raise UsageError(f"{folder}: has not been trained to its end (no trained.json); run it first")
    trained = read_json(file)
    if trained.get("status") not in STATUSES:
        raise UsageError(f"{file}: 'status' must be {' or '.join(STATUSES)}, not {short(trained.get('status'))}")
    for name, fields in LISTS.items():
        items = trained.setdefault(name, [])
        require(file, name, items, (list,))
        for at, item in enumerate(items):
            require(file, f"{name}[{at}]", item, (dict,))
            require_fields(file, item, fields, f"{name}[{at}]")
    if trained["status"] == "completed" and not trained["variants"]:
        raise UsageError(f"{file}: names no variant, so that there is nothing to score; train again")
    return trained


def write_result(
    folder: Path,
    spec: RunSpec,
    trained: Mapping[str, Any],
    scores: list[dict[str, Any]],
    sanity: Mapping[str, Any],
    looks: list[dict[str, Any]],
) -> None:
    """Write `result.json`: what was known before, what training says, and what was measured."""
    known = head(spec.json(), spec.entry_key)
    plugins = {p["module"]: dict(p) for p in (*known["plugins"], *spec.score["plugins"])}
    write_json_atomic(
        folder / "result.json",
        {
            **known,
            **{key: trained.get(key, default) for key, default in CARRIED.items()},
            "plugins": list(plugins.values()),
            "scores": scores,
            "sanity": sanity,
            "looks": looks,
        },
    )
    for name in (EARLIER_SPEC, EARLIER):
        (folder / name).unlink(missing_ok=True)


def earlier_looks(folder: Path, column: str) -> dict[int, dict[str, Any]]:
    """The early looks of a result that is there already, or was set aside, by cycle: once scored, their samples are
    gone."""
    for name in ("result.json", EARLIER):
        if (folder / name).is_file():
            looks = read_json(folder / name).get("looks") or []
            return {look["cycle"]: look for look in looks if isinstance(look, dict) and look.get("column") == column}
    return {}
