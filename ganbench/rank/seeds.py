"""Which records count: each run once, and of one entry's seed only the newest run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ganbench.rank.records import FINISHED, Record


@dataclass(frozen=True)
class Kept:
    """The records that count, with the number of those that do not, by suite id."""

    records: tuple[Record, ...]
    superseded: Mapping[str, int]
    reproduced: Mapping[str, int]


def keep(records: Iterable[Record]) -> Kept:
    """Drops duplicates of a run id, and runs that a newer run of the same entry and seed supersedes.

    A result goes before an attempt that was lost, however new that is. Of duplicates the earliest result is the run's,
    or its machine's newest version of it (scored again, say); results from other machines are reproductions, of which
    each machine has one, however many copies of it there are.
    """
    ordered = sorted(records, key=_tie_break)
    by_run: dict[tuple[str, str], Record] = {}
    elsewhere: set[tuple[str, str, str | None]] = set()
    for record in sorted(ordered, key=lambda r: (r["status"] not in FINISHED, r["finished"])):
        suite = record["suite"]["id"]
        first = by_run.setdefault((suite, record["run_id"]), record)
        if first is record or record["status"] not in FINISHED:
            continue
        if _machine(first) == _machine(record):
            by_run[suite, record["run_id"]] = record
        else:
            elsewhere.add((suite, record["run_id"], _machine(record)))
    newest: dict[tuple[str, str, int], Record] = {}
    superseded: Counter[str] = Counter()
    for record in sorted(by_run.values(), key=lambda r: (r["status"] in FINISHED, r["finished"], r["run_id"])):
        slot = (record["suite"]["id"], record["entry"]["key"], record["seed"])
        superseded[slot[0]] += slot in newest and newest[slot]["status"] in FINISHED
        newest[slot] = record
    reproduced = Counter(suite for suite, _, _ in elsewhere)
    return Kept(tuple(newest[slot] for slot in sorted(newest)), superseded, reproduced)


def _tie_break(record: Record) -> str:
    return json.dumps(record, sort_keys=True)


def _machine(record: Record) -> str | None:
    return (record.get("environment") or {}).get("machine")
