"""A finished run measured again: its samples under another specification, and what that adds to its record."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError
from ganbench.plan.spec import RunSpec
from ganbench.record.files import read_json, write_json_atomic
from ganbench.record.head import now

Score = dict[str, Any]


@contextmanager
def staged(run: Path, spec: RunSpec) -> Iterator[Path]:
    """A folder inside the run's with this specification and the run's samples, ready to be scored; gone afterwards."""
    if not (run / "trained.json").is_file() or not (run / "result.json").is_file():
        what = "holds no samples (published results never do)" if (run / "result.json").is_file() else "is not finished"
        raise UsageError(f"{run}: {what}; give a folder that ganbench run or ganbench evaluate finished")
    trained = read_json(run / "trained.json")
    try:
        folder = Path(tempfile.mkdtemp(prefix=".rescore-", dir=run))
    except OSError as error:
        raise UsageError(f"{run}: cannot be written to ({error.strerror})") from None
    try:
        os.symlink((run / "samples").resolve(), folder / "samples", target_is_directory=True)
        write_json_atomic(folder / "trained.json", {**trained, "looks": []})
        spec.write(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Compared:
    """What was measured, beside what a record says. new: it does not have these. same: equal values. changed: pairs of
    the recorded and the measured score, where a metric's or an extractor's code has changed, or the record."""

    new: tuple[Score, ...]
    same: tuple[Score, ...]
    changed: tuple[tuple[Score, Score], ...]


def compare(recorded: Mapping[str, Any], measured: Mapping[str, Any]) -> Compared:
    """Scores are the same ones where variant, column and measurement fingerprint are."""
    known = {_key(score): score for score in recorded.get("scores") or [] if score.get("value") is not None}
    named = {_key(score)[:2] for score in recorded.get("scores") or []}
    new, same, changed = [], [], []
    for score in measured.get("scores") or []:
        old = known.get(_key(score))
        if old is not None:
            if old["value"] == score["value"]:
                same.append(score)
            else:
                changed.append((old, score))
        elif score["value"] is not None or _key(score)[:2] not in named:
            new.append(score)
    return Compared(tuple(new), tuple(same), tuple(changed))


def add(run: Path, measured: Mapping[str, Any]) -> Compared:
    """Add to the run's `result.json` what it does not have; nothing that it has is touched."""
    record = read_json(run / "result.json")
    found = compare(record, measured)
    if found.new:
        plugins = {(p.get("module"), p.get("sha256")): p for p in record.get("plugins") or []}
        plugins |= {
            (p["module"], p["sha256"]): p for p in measured["plugins"] if (p["module"], p["sha256"]) not in plugins
        }
        when = now()
        scores = [*(record.get("scores") or []), *({**score, "added": when} for score in found.new)]
        sanity = {**measured["sanity"], **(record.get("sanity") or {})}
        write_json_atomic(
            run / "result.json", {**record, "plugins": list(plugins.values()), "scores": scores, "sanity": sanity}
        )
    return found


def _key(score: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return score.get("variant"), score.get("column"), score.get("fingerprint")
