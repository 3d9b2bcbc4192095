"""Records into tables: one for each suite and comparability key of its headline."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ganbench.rank.records import Record


@dataclass
class Group:
    """What belongs into one table. suite: the suite's fields, as its newest record has them."""

    suite: dict[str, Any]
    comparability: str
    trained: list[Record] = field(default_factory=list)
    scale: list[Record] = field(default_factory=list)
    foreign: list[Record] = field(default_factory=list)

    @property
    def records(self) -> list[Record]:
        """All of them."""
        return [*self.trained, *self.foreign, *self.scale]

    def scores(self, record: Record) -> Iterator[dict[str, Any]]:
        """The record's scores, of its headline only those that compare within this table."""
        prints = self._prints if record["kind"] != "trained" else set()
        for score in record.get("scores") or []:
            elsewhere = (
                score["column"] == self.suite["headline"] and (score.get("comparability") or "") != self.comparability
            )
            if not elsewhere or score.get("fingerprint") in prints:
                yield score

    @functools.cached_property
    def _prints(self) -> set[str]:
        """The fingerprints, once nothing more comes into this table."""
        return self.fingerprints()

    def fingerprints(self) -> set[str]:
        """The fingerprints of the headline in this table; one, unless the records contradict themselves."""
        return {
            score["fingerprint"]
            for record in self.records
            for score in headline_scores(record)
            if score["fingerprint"] and score["comparability"] == self.comparability
        }


def headline_scores(record: Record) -> list[dict[str, Any]]:
    """The record's scores in its suite's headline column that say what they compare with."""
    return [
        score
        for score in record.get("scores") or []
        if score["column"] == record["suite"]["headline"] and score.get("comparability")
    ]


def group(records: Iterable[Record]) -> list[Group]:
    """The tables, by suite id, the largest of a suite first."""
    suites: dict[str, list[Record]] = {}
    for record in records:
        suites.setdefault(record["suite"]["id"], []).append(record)
    return [table for suite in sorted(suites) for table in _tables(suites[suite])]


def _tables(records: list[Record]) -> list[Group]:
    trained = [record for record in records if record["kind"] == "trained"]
    scale = [record for record in records if record["kind"] == "scale"]
    foreign = [record for record in records if record["kind"] == "foreign"]
    members: dict[str, list[Record]] = {}
    for record in trained:
        for key in sorted({score["comparability"] for score in headline_scores(record)}):
            members.setdefault(key, []).append(record)
    homes = {key: list(found) for key, found in members.items()}
    counts = Counter(score["comparability"] for record in scale for score in headline_scores(record))
    scales = min(counts, key=lambda key: (-counts[key], key), default="")
    for record in trained:
        if not headline_scores(record):
            for key in _homes(record, homes) or [scales]:
                members.setdefault(key, []).append(record)
    if not members and scale:
        members[scales] = []
    tables = []
    for key, found in members.items():
        newest = max(found or scale, key=lambda record: (record["finished"], record["run_id"]))
        tables.append(Group(newest["suite"], key, found))
    for table in tables:
        prints = table.fingerprints()
        table.scale = [record for record in scale if _fits(table, prints, record)]
        prints = table.fingerprints()
        table.foreign = [record for record in foreign if headline_scores(record) and _fits(table, prints, record)]
    placed = {id(record) for table in tables for record in table.foreign}
    tables += _measured_otherwise([record for record in foreign if id(record) not in placed])
    return sorted(tables, key=lambda table: (-len(table.trained), table.comparability))


def _measured_otherwise(foreign: list[Record]) -> list[Group]:
    """Tables of their own for foreign rows whose headline is no other table's, one for each way of measuring."""
    tables: dict[str, Group] = {}
    for record in sorted(foreign, key=lambda record: (record["finished"], record["run_id"])):
        score = next(iter(headline_scores(record)), {})
        table = tables.setdefault(score.get("fingerprint") or "", Group({}, ""))
        table.suite, table.comparability = record["suite"], score.get("comparability") or ""
        table.foreign.append(record)
    return list(tables.values())


def _homes(record: Record, homes: dict[str, list[Record]]) -> list[str]:
    """The tables of a record without a score: those of its entry's other seeds, else the one of its nearest kin; none
    where there is no table."""
    own = [key for key, found in homes.items() if any(r["entry"]["key"] == record["entry"]["key"] for r in found)]
    if own or not homes:
        return own

    def kinship(key: str) -> tuple[int, int, str]:
        alike = [sum(a == b for a, b in zip(_kin(record), _kin(other), strict=True)) for other in homes[key]]
        return -max(alike), -len(alike), key

    return [min(homes, key=kinship)]


def _kin(record: Record) -> tuple[Any, ...]:
    return bool(record["entry"].get("conditional")), record["suite"]["version"]


def _fits(table: Group, prints: set[str], record: Record) -> bool:
    """Whether a row of the scale stands in this table: measured alike, or lost before it was measured. prints: the
    fingerprints of the table so far."""
    scores = headline_scores(record)
    return not scores or any(
        score["comparability"] == table.comparability or score["fingerprint"] in prints for score in scores
    )
