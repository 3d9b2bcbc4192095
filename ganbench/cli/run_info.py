"""A run's record as a page: how it ended, each score with its sampling error, and what a score is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.cli.terminal import columns
from ganbench.errors import UsageError, one_line
from ganbench.publish.text import NOTHING, number
from ganbench.rank import read_record
from ganbench.rank.records import record_file

KEYS = ("variant", "column", "value", "sampling_error", "n", "skipped", "parts")


def details(folder: Path) -> dict[str, Any]:
    """What the page says, as plain values."""
    record = read_record(folder)
    if record is None:
        raise UsageError(f"{folder}: the run is not finished, so that there is nothing to tell yet")
    counters = record.get("counters") or {}
    seconds = counters.get("seconds")
    return {
        "folder": str(folder),
        "suite": record["suite"]["id"],
        "entry": record["entry"]["label"],
        "seed": record["seed"],
        "run_id": record["run_id"],
        "status": record["status"],
        "reason": record.get("reason"),
        "finished": record["finished"],
        "real_images": counters.get("real_images"),
        "training_seconds": None if seconds is None else round(seconds, 1),
        "record": str(record_file(folder)),
        "scores": [{key: score.get(key) for key in KEYS} for score in record.get("scores") or []],
    }


def page(found: Mapping[str, Any]) -> str:
    """Facts, scores, and the parts of every score that has some."""
    facts = [(key, value) for key, value in found.items() if key != "scores" and value is not None]
    lines = [columns(facts)]
    if found["scores"]:
        rows = [("COLUMN", "VARIANT", "VALUE", "SAMPLES", "SAMPLING ERROR", "")]
        rows += [score_row(score) for score in found["scores"]]
        lines += ["", columns(rows)]
    for score in found["scores"]:
        if score["parts"]:
            each = ", ".join(f"{part} {_number(value)}" for part, value in score["parts"].items())
            lines += ["", one_line(f"{score['column']} of {score['variant']} is made of: {each}")]
    if any(score["sampling_error"] for score in found["scores"]):
        lines += [
            "",
            "Sampling error: the standard error over samples of this one model; the spread over seeds contains it.",
        ]
    return "\n".join(lines)


def score_row(score: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    """A score in words: column, variant, value, number of samples, sampling error, and why it is missing."""
    error, reason = score.get("sampling_error"), score.get("skipped")
    return (
        score["column"],
        score["variant"],
        _number(score["value"]),
        NOTHING if score["n"] is None else f"{score['n']:,}",
        f"{error['value']:.2g}" if error else NOTHING,
        f"skipped: {reason}" if reason else "",
    )


def _number(value: float | None) -> str:
    return NOTHING if value is None else number(value)
