"""A run and its repetition: bitwise, consistent or inconsistent, and where they differ first."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ganbench.plan.modes import REFERENCE
from ganbench.rank import Record
from ganbench.rank.statistics import MIN_SEEDS, on_log, prediction
from ganbench.record.schema import MISSING, get

BITWISE, CONSISTENT, INCONSISTENT, UNDECIDED = "bitwise", "consistent", "inconsistent", "undecided"
UNCOMPARED = ""
"""Undecided for want of anything to compare, on whichever machine."""
CLOCKS = frozenset({"seconds", "images_per_second", "peak_memory_bytes", "time"})
"""Fields of events and counters that measure time or memory, and are never equal."""
LONGEST = 2**20
"""Bytes of an event that are read; a run writes some hundred."""
ROUNDING = 1e-6
"""Relative difference of scores of equal weights that other libraries or processors explain."""


@dataclass(frozen=True)
class Compared:
    """One thing of both. differs: None where it is equal, else how, in one line."""

    what: str
    differs: str | None


@dataclass(frozen=True)
class Verdict:
    """word: `bitwise`, `consistent`, `inconsistent` or `undecided`. compared: in the order of their making; the first
    that differs is where the two part. surroundings: how machine and versions differ."""

    word: str
    why: str
    compared: tuple[Compared, ...]
    surroundings: tuple[str, ...]

    @property
    def first(self) -> Compared | None:
        """Where the two differ first."""
        return next((c for c in self.compared if c.differs), None)


def judge(recorded: Record, made: Mapping[str, Any], seeds: Sequence[Record], events: tuple[Path, Path]) -> Verdict:
    """Compare a record with that of its repetition.

    seeds: the records of the same entry, this one among them, whose headlines predict another. events: both event logs,
    of which the first may not be there.
    """
    compared = tuple(_compared(recorded, made, events))
    surroundings = tuple(_surroundings(recorded.get("environment") or {}, made.get("environment") or {}))
    word, why = _word(recorded, made, seeds, compared)
    if word not in (BITWISE, UNCOMPARED) and not surroundings and _exact(recorded):
        why += "; on one machine and with the same versions every bit should be equal: record or code was changed"
        word = INCONSISTENT if word == UNDECIDED else word
    word = word or UNDECIDED
    return Verdict(word, why, compared, surroundings)


def _exact(record: Record) -> bool:
    """Whether a run is the same bit for bit by contract: in the reference mode, with a budget that is counted."""
    return record["entry"].get("mode") == REFERENCE.name and "seconds" not in (record["suite"].get("budget") or {})


def _compared(recorded: Record, made: Mapping[str, Any], events: tuple[Path, Path]) -> Iterator[Compared]:
    if all(file.is_file() for file in events):
        yield Compared("events", _events(*events))
    for key in ("status", "last_step"):
        yield Compared(key, _unlike(recorded.get(key), made.get(key)))
    ours, theirs = ({k: v for k, v in (r.get("counters") or {}).items() if k not in CLOCKS} for r in (recorded, made))
    yield Compared("counters", next((f"{k}: {d}" for k in ours if (d := _unlike(ours[k], theirs.get(k)))), None))
    none: dict[str, Any] = {}
    for old, new in zip_longest(recorded.get("looks") or [], made.get("looks") or [], fillvalue=none):
        if old.get("fingerprint") == new.get("fingerprint"):
            yield Compared(f"look at cycle {old.get('cycle')}", _unlike(old.get("value"), new.get("value")))
    for net, left in (recorded.get("weights") or {}).items():
        yield Compared(f"weights of {net}", _hashes(left, (made.get("weights") or {}).get(net)))
    measured = {_key(score): score["value"] for score in made.get("scores") or []}
    for score in recorded.get("scores") or []:
        if _key(score) in measured:
            what = f"{score['column']} of {score['variant']}"
            yield Compared(what, _unlike(score["value"], measured[_key(score)]))


def _events(old: Path, new: Path) -> str | None:
    """The first event that differs, but for clocks."""
    with old.open("rb") as ours, new.open("rb") as theirs:
        lines = (iter(partial(file.readline, LONGEST), b"") for file in (ours, theirs))
        for number, (a, b) in enumerate(zip_longest(*lines), 1):
            try:
                was, now = (json.loads(line) if line else None for line in (a, b))
                path = _parts(was, now)
            except (ValueError, RecursionError):
                return f"line {number} is no JSON"
            if path is not None:
                cycle = (was or now or {}).get("cycle") if isinstance(was or now, dict) else None
                return f"cycle {cycle}, {path}" if cycle is not None else f"line {number}: {path}"
    return None


def _parts(was: Any, now: Any) -> str | None:
    """Where two JSON values differ first; clocks aside."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*was, *now]):
            if key not in CLOCKS and (path := _parts(was.get(key), now.get(key))) is not None:
                return f"{key} {path}" if path else key
        return None
    return _unlike(was, now)


def _unlike(was: Any, now: Any) -> str | None:
    if was == now:
        return None
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (was, now))
    share = f" ({100 * (now - was) / abs(was):+.2g} %)" if numbers and was else ""
    return f"{_short(was)} recorded, {_short(now)} here{share}"


def _hashes(was: Any, now: Any) -> str | None:
    return None if was == now else f"sha256 {str(was)[:12]}… recorded, {str(now)[:12]}… here"


def _word(
    recorded: Record, made: Mapping[str, Any], seeds: Sequence[Record], compared: Sequence[Compared]
) -> tuple[str, str]:
    substance = [c for c in compared if c.what.startswith("weights of") or " of " in c.what]
    if not substance and recorded["status"] == "completed":
        return UNCOMPARED, "neither weights nor scores can be compared"
    if all(c.differs is None for c in compared):
        return BITWISE, f"all {len(compared)} things compared are equal"
    if recorded["status"] != made.get("status"):
        return INCONSISTENT, f"{recorded['status']} as recorded, {made.get('status')} here"
    old, new = _headline(recorded), _headline(made)
    if old is None or new is None or _key(old) != _key(new):
        return UNCOMPARED, "there is no headline that was measured alike in both"
    trained_alike = all(c.differs is None for c in compared if c.what.startswith("weights of"))
    if trained_alike and math.isclose(old["value"], new["value"], rel_tol=ROUNDING):
        weights = "equal weights, and " if recorded.get("weights") else ""
        return CONSISTENT, f"{weights}headlines within {ROUNDING:g} of each other"
    return _by_interval(old, new, seeds)


def _by_interval(old: Mapping[str, Any], new: Mapping[str, Any], seeds: Sequence[Record]) -> tuple[str, str]:
    """What the recorded seeds of the row say about the new value."""
    found = [score for record in seeds if (score := _headline(record)) is not None and _key(score) == _key(old)]
    values = [float(score["value"]) for score in found]
    said = f"{old['column']} is {new['value']:.6g}, recorded was {old['value']:.6g}"
    if len(values) < MIN_SEEDS:
        others = ", ".join(f"{value:.6g}" for value in sorted(values))
        return UNDECIDED, f"{said}; {MIN_SEEDS} seeds are needed for a prediction interval, this row has {others}"
    expected = prediction(values, on_log(values, bool(old.get("positive"))))
    if not math.isfinite(expected.low):
        return UNDECIDED, f"{said}; the row's {len(values)} seeds are all equal, so that they predict no spread"
    interval = f"the 95 % prediction interval of its {len(values)} seeds, [{expected.low:.6g}, {expected.high:.6g}]"
    if expected.low <= new["value"] <= expected.high:
        return CONSISTENT, f"{said}, in {interval}"
    return INCONSISTENT, f"{said}, outside {interval}"


def _headline(record: Mapping[str, Any]) -> dict[str, Any] | None:
    column = record["suite"]["headline"]
    mine = [s for s in record.get("scores") or [] if s["column"] == column and s["headline_variant"]]
    return next((dict(score) for score in mine if score["value"] is not None), None)


def _surroundings(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if was.get("machine") != now.get("machine"):
        yield f"machine fingerprint {was.get('machine')} recorded, {now.get('machine')} here"
    for part, key in (("cpu", "model"), ("cpu", "numbers"), ("cpu", "instruction_sets"), ("gpu", "name")):
        a, b = (None if (said := get(env, f"{part}.{key}")) is MISSING else said for env in (was, now))
        if a != b:
            yield f"{part} {key}: {_short(a)} recorded, {_short(b)} here"
    if (a := was.get("vector_code")) not in (None, b := now.get("vector_code")):
        yield f"vector code {_short(a)} recorded, {_short(b)} here"
    old, new = was.get("versions") or {}, now.get("versions") or {}
    for package in dict.fromkeys([*old, *new]):
        if old.get(package) != new.get(package):
            yield f"{package} {old.get(package)} recorded, {new.get(package)} here"
    if was.get("python") != now.get("python"):
        yield f"python {was.get('python')} recorded, {now.get('python')} here"


def _key(score: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return score.get("variant"), score.get("column"), score.get("fingerprint")


def _short(value: Any) -> str:
    text = f"{value:.10g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:79] + "…"
