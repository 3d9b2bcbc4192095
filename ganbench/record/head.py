"""The part of a record that is known before a run begins, and the record of an attempt that was lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganbench.record.files import write_json_atomic

EARLIER = "result-earlier.json"
"""Where a result is kept that is to be measured again: until that is done, and for what cannot be, early looks, whose
samples are gone."""
EARLIER_SPEC = "spec-earlier.json"
"""The specification of that result."""


def now() -> str:
    """The time in UTC, to the second: `2026-11-24T02:20:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def head(spec: Mapping[str, Any], entry_key: str) -> dict[str, Any]:
    """What `result.json` and `error.json` say about the run itself; `status`, `reason` and what was measured come on
    top.

    spec: the content of `spec.json`. entry_key: the hash that a row's seeds share.
    """
    return {
        "run_id": spec["run_id"],
        "kind": spec["kind"],
        "finished": now(),
        "suite": dict(spec["suite"]),
        "entry": {
            **spec["entry"],
            "key": entry_key,
            "recipe": spec["recipe"],
            "mode": spec["mode"],
            "conditional": spec["conditional"],
        },
        "seed": spec["seed"],
        "data": spec["data"],
        "plugins": list(spec["plugins"]),
        "api_version": spec["api_version"],
        **({"asked": spec["asked"]} if spec.get("asked") else {}),
    }


def write_skipped(folder: Path, head: Mapping[str, Any], reason: str) -> None:
    """Write the `result.json` of a combination that does not fit."""
    write_json_atomic(
        folder / "result.json", {**head, "status": "skipped", "reason": reason, "last_step": None, "scores": []}
    )


def write_lost(
    folder: Path, head: Mapping[str, Any], status: str, reason: str, last_step: int | None, stage: str = "training"
) -> None:
    """Write the `error.json` of an attempt that the harness lost.

    status: `"crashed"`, `"oom"`, `"killed"`, `"timeout"` or `"interrupted"`. reason: kept to one line. last_step:
    the last whole cycle that is known of. stage: `"training"` or `"scoring"`.
    """
    reason = " ".join(reason.split())[:500]
    record = {**head, "status": status, "reason": reason, "last_step": last_step, "stage": stage}
    write_json_atomic(folder / "error.json", record)
