"""Which records count: each run once, and of one entry's seed only the newest run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from ganbench.rank.records import FINISHED, Record


@dataclass(frozen=True)
class Kept:
    """The records that count, with the number of those that do not, by suite id."""

    records: tuple[Record, ...]
    superseded: dict[str, int]
    reproduced: dict[str, int]


def keep(records: Iterable[Record]) -> Kept:
    """Drops duplicates of a run id, and runs that a newer run of the same entry and seed supersedes.

    Of duplicates a result goes before an error. The earliest result is the run's, or its machine's newest version of it
    (scored again, say); results from other machines are reproductions.
    """
    ordered = sorted(records, key=_tie_break)
    by_run: dict[tuple[str, str], Record] = {}
    reproduced: dict[str, int] = {}
    for record in sorted(ordered, key=lambda r: (r["status"] not in FINISHED, r["finished"])):
        suite = record["suite"]["id"]
        first = by_run.setdefault((suite, record["run_id"]), record)
        if first is record or record["status"] not in FINISHED:
            continue
        if _machine(first) == _machine(record):
            by_run[suite, record["run_id"]] = record
        else:
            reproduced[suite] = reproduced.get(suite, 0) + 1
    newest: dict[tuple[str, str, int], Record] = {}
    superseded: dict[str, int] = {}
    for record in sorted(by_run.values(), key=lambda r: (r["finished"], r["run_id"])):
        suite = record["suite"]["id"]
        slot = (suite, record["entry"]["key"], record["seed"])
        if slot in newest:
            superseded[suite] = superseded.get(suite, 0) + 1
        newest[slot] = record
    return Kept(tuple(newest[slot] for slot in sorted(newest)), superseded, reproduced)


def _tie_break(record: Record) -> str:
    return json.dumps(record, sort_keys=True)


def _machine(record: Record) -> str | None:
    return (record.get("environment") or {}).get("machine")
