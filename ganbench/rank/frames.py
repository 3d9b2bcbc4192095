"""Rows as data frames: one line a row, one a seed and column, one a pair."""

from __future__ import annotations

import math
import statistics as plain
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ganbench.rank import statistics
from ganbench.rank.levels import Level
from ganbench.rank.rows import Column, Row, Seed

PLACE = ["section", "position", "label", "variant"]
_PARTS = ["architecture", "loss", "preset", "game"]
_MORE_PARTS = ["regularizers", "augmentations"]
_COSTS = ["images_per_second", "seconds", "peak_memory_bytes", "parameters_G", "parameters_D"]
_FRAME = [
    *PLACE, *_PARTS, *_MORE_PARTS, "mode", "role", "conditional", "n", "completed", "degenerate", "diverged",
    "missing", "seeds", "statuses", "values", "centre", "low", "high", "log", "median", "rank_low", "rank_high",
    "level", "reason", *_COSTS, "histogram_tv", "confidence",
]  # fmt: skip
_SCORES = [
    *PLACE, "column", "direction", "samples", "seed", "status", "value", "sampling_error", "parts", *_COSTS, "n",
    "centre", "low", "high", "log",
]  # fmt: skip
_LOOKS = [*PLACE, "seed", "cycle", "real_images", "seconds", "value", "samples", "split"]
_PAIRS = ["first", "second", "test", "p", "holm", "rank_check", "better"]


def rows_frame(
    placed: Sequence[tuple[Row, int]],
    headline: Column,
    log: bool,
    ranks: Mapping[int, tuple[int, int]],
    found: Sequence[Level],
) -> pd.DataFrame:
    """One line a row. placed: rows with their positions; ranks: by the row's `id`, of rows that have one."""
    lines = [place(row, at) | _line(row, headline, log, ranks.get(id(row)), found) for row, at in placed]
    return pd.DataFrame(lines, columns=_FRAME)


def scores_frame(placed: Sequence[tuple[Row, int]], cols: Sequence[Column], log: bool) -> pd.DataFrame:
    """One line a row, column and seed; `log` is the headline's, other columns have their own."""
    lines = [line for row, at in placed for line in _scores(row, at, cols, log)]
    return pd.DataFrame(lines, columns=_SCORES).astype({"seed": "Int64"})


@dataclass(frozen=True)
class Look:
    """An early look: whose it is, and what the record says of it."""

    row: Row
    position: int
    seed: Seed
    fields: Mapping[str, Any]


def early_looks(placed: Sequence[tuple[Row, int]], headline: Column) -> list[Look]:
    """The early looks of trained entries at the headline, measured as most of them are."""
    looks = [
        Look(row, at, seed, look)
        for row, at in placed
        for seed in (row.seeds if row.main and row.trained else [])
        for look in seed.record.get("looks") or []
        if look.get("column") == headline.name and look.get("value") is not None and math.isfinite(look["value"])
    ]
    prints = Counter(look.fields.get("fingerprint") or "" for look in looks)
    usual = min(prints, key=lambda key: (-prints[key], key), default="")
    return [look for look in looks if (look.fields.get("fingerprint") or "") == usual]


def looks_frame(looks: Iterable[Look]) -> pd.DataFrame:
    """One line an early look."""
    lines = [
        {**look.fields, **place(look.row, look.position), "seed": look.seed.seed, "samples": look.fields.get("n")}
        for look in looks
    ]
    return pd.DataFrame(lines, columns=_LOOKS)


def pairs_frame(ranked: Sequence[Row], pairs: Iterable[statistics.Pair]) -> pd.DataFrame:
    """One line a pair of the ranked rows."""
    return pd.DataFrame([_pair(ranked, pair) for pair in pairs], columns=_PAIRS)


def place(row: Row, position: int) -> dict[str, Any]:
    """Where a row stands, as the first columns of every frame of rows say it."""
    return {"section": row.section, "position": position, "label": row.label, "variant": row.variant}


def _line(
    row: Row, headline: Column, log: bool, rank: tuple[int, int] | None, found: Sequence[Level]
) -> dict[str, Any]:
    counted = [seed for seed in row.seeds if seed.counts]
    centre = estimate_of(row, headline, log)
    median = statistics.median_cost(row.signed(headline)) if row.n else math.nan
    costs = [costs_of(seed) for seed in counted]
    return {
        **{name: row.entry.get(name) or "" for name in _PARTS},
        **{name: tuple(row.entry.get(name) or ()) for name in _MORE_PARTS},
        "mode": row.entry.get("mode") or "",
        "role": row.entry.get("role") or "",
        "conditional": bool(row.entry.get("conditional")),
        "n": row.n,
        "completed": sum(seed.status in ("completed", "degenerate") for seed in counted),
        "degenerate": sum(seed.status == "degenerate" for seed in counted),
        "diverged": sum(seed.status == "diverged" for seed in counted),
        "missing": sum(not seed.counts for seed in row.seeds) if row.section != "skipped" else 0,
        "seeds": tuple(seed.seed for seed in counted if row.seeded),
        "statuses": tuple(seed.status for seed in counted),
        "values": tuple(seed.scores.get(headline.name, math.nan) for seed in counted),
        "centre": centre.centre,
        "low": centre.low,
        "high": centre.high,
        "log": log,
        "median": math.nan if math.isinf(median) else (-median if headline.direction == "higher" else median),
        "rank_low": rank[0] if rank else math.nan,
        "rank_high": rank[1] if rank else math.nan,
        "level": "" if row.scale else _level(row, headline, found),
        "reason": _reason(row),
        **{name: median_of(cost[name] for cost in costs) for name in _COSTS},
        "histogram_tv": median_of(seed.sanity.get("histogram_tv") for seed in counted),
        "confidence": median_of(seed.sanity.get("confidence") for seed in counted),
    }


def estimate_of(row: Row, column: Column, log: bool) -> statistics.Estimate:
    """Centre and interval of the seeds that did not fail; no interval once one failed: it would be the survivors'."""
    values = row.values(column.name, survivors=True)
    estimate = statistics.estimate(values, log and all(value > 0 for value in values))
    return statistics.Estimate(estimate.centre) if row.failures else estimate


def _scores(row: Row, position: int, cols: Sequence[Column], log: bool) -> list[dict[str, Any]]:
    lines = []
    for at, column in enumerate(cols):
        on_log = log if at == 0 else statistics.on_log(row.values(column.name, survivors=True), column.positive)
        centre = estimate_of(row, column, on_log)
        n = len(row.values(column.name, survivors=True))
        for seed in row.seeds:
            line: dict[str, Any] = {"column": column.name, "direction": column.direction, "samples": column.n}
            line |= {
                "seed": seed.seed if row.seeded else None,
                "status": seed.status,
                "value": seed.scores.get(column.name, math.nan),
                "sampling_error": seed.errors.get(column.name, math.nan),
                "parts": seed.parts.get(column.name) or {},
                **costs_of(seed),
                "n": n,
                "log": on_log,
            }
            lines.append(place(row, position) | line | vars(centre))
    return lines


def _level(row: Row, headline: Column, found: Sequence[Level]) -> str:
    """The strictest level that more than half of the seeds reach."""
    for level in found:
        others = [{**seed.scores, **seed.sanity} for seed in row.seeds if seed.counts and not seed.failed]
        reached = sum(level.reached(values.get(headline.name, math.nan), values) for values in others)
        if 2 * reached > row.n:
            return level.name
    return ""


def _reason(row: Row) -> str:
    reasons = [seed.reason for seed in row.seeds if seed.reason and seed.status != "completed"]
    return "; ".join(dict.fromkeys(reasons))


def costs_of(seed: Seed) -> dict[str, float]:
    """What a seed that finished took; NaN where it is not known, as speed is not beside other runs on one device."""
    throughput, sizes = (seed.record.get(part) or {} for part in ("throughput", "parameters"))
    speed = None if throughput.get("shared_device") else throughput.get("images_per_second")
    seconds = (seed.record.get("counters") or {}).get("seconds")
    found = [speed, seconds, throughput.get("peak_memory_bytes"), sizes.get("G"), sizes.get("D")]
    known = [math.nan if cost is None or not seed.counts else float(cost) for cost in found]
    return dict(zip(_COSTS, known, strict=True))


def median_of(values: Iterable[float | None]) -> float:
    known = [float(value) for value in values if value is not None and not math.isnan(value)]
    return plain.median(known) if known else math.nan


def _pair(ranked: Sequence[Row], pair: statistics.Pair) -> dict[str, Any]:
    names = ranked[pair.first].label, ranked[pair.second].label
    better = "" if pair.better is None else ranked[pair.better].label
    return dict(zip(_PAIRS, (*names, pair.test, pair.p, pair.adjusted, pair.check, better), strict=True))
