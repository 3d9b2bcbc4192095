"""The end of a run's `events.jsonl`, read while the run is still writing it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TAIL = 65_536
"""Bytes from the end that are searched."""


def last_event(folder: Path, kind: str = "progress") -> dict[str, Any] | None:
    """The newest whole event of a kind, or None; a line that is half written or no JSON object is passed over."""
    try:
        with (folder / "events.jsonl").open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL))
            lines = file.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and event.get("kind") == kind:
            return event
    return None


def last_step(folder: Path) -> int | None:
    """The last cycle that a run told of."""
    cycle = (last_event(folder) or {}).get("cycle")
    return cycle if isinstance(cycle, int) and not isinstance(cycle, bool) else None
