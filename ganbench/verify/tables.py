"""Tables made again from the records, and compared with those that lie there."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from ganbench.errors import UsageError
from ganbench.publish.results import pages
from ganbench.publish.text import plain
from ganbench.rank import Record
from ganbench.verify.runs import Finding

PAGES = ("leaderboard.csv", "LEADERBOARD.md")
"""Files that tell a published folder from working space."""
KEY = ("suite", "comparability", "section", "label", "variant", "column", "seed")
CLOSE = 1e-9
"""Relative difference of derived numbers (means, bounds) between two machines; values of seeds are compared exactly."""
SHOWN = 5
"""Differing lines of one table that are told."""

Row = dict[str, str]


def published(home: Path) -> bool:
    """Whether a folder has tables."""
    return any((home / name).is_file() for name in PAGES)


def tables(records: Sequence[Record], home: Path) -> Iterator[Finding]:
    """What of a published folder's tables does not follow from its records."""
    try:
        made = pages(list(records), home)
    except UsageError as error:
        yield Finding(home, f"tables not compared: {error}", False)
        return
    lost = False
    for name, text in made.items():
        file = home / name
        if not file.is_file():
            yield Finding(file, "is missing")
            continue
        there = file.read_text(encoding="utf-8", errors="replace")
        if file.suffix == ".csv":
            try:
                mine, theirs = _rows(text), _rows(there)
            except csv.Error as error:
                yield Finding(file, f"is no table ({error})")
                continue
            lost |= any(row.get("status") == "missing" and key not in mine for key, row in theirs.items())
            yield from _few(file, list(dict.fromkeys(_csv(mine, theirs))))
        elif text != there:
            yield Finding(
                file, _first_line(text, there) + (" (runs that were lost are not published)" * lost), not lost
            )


def _few(file: Path, found: list[str]) -> Iterator[Finding]:
    yield from (Finding(file, what) for what in found[:SHOWN])
    if len(found) > SHOWN:
        yield Finding(file, f"and {len(found) - SHOWN} further lines")


def _rows(text: str) -> dict[tuple[str, ...], Row]:
    lines = csv.DictReader(io.StringIO(text))
    return {tuple(line.get(part) or "" for part in KEY): line for line in lines}


def _csv(mine: dict[tuple[str, ...], Row], theirs: dict[tuple[str, ...], Row]) -> Iterator[str]:
    """Values that differ; only where there is none, what follows from them."""
    values, others = [], []
    for key, row in theirs.items():
        who = _who(row)
        if key not in mine:
            if row.get("status") != "missing":
                values.append(f"{who}: no record gives this line")
            continue
        shown, expected = row.get("value"), mine[key].get("value")
        if shown != expected:
            values.append(f"{who}: {shown or 'no value'} in the table, {expected or 'none'} in the record")
        for column in row.keys() & mine[key].keys():
            if column != "value" and not _close(str(row[column]), str(mine[key][column])):
                others.append(f"{who}: {column} is {plain(row[column])}, from the records {plain(mine[key][column])}")
    values += [f"{_who(row)}: has a record and no line" for key, row in mine.items() if key not in theirs]
    yield from values or sorted(others)


def _who(row: Row) -> str:
    seed = f", seed {row['seed']}" if row.get("seed") else ""
    return plain(f"{row.get('label')}{seed}, {row.get('column')}")


def _close(one: str, two: str) -> bool:
    if one == two:
        return True
    try:
        return math.isclose(float(one), float(two), rel_tol=CLOSE, abs_tol=CLOSE)
    except ValueError:
        return False


def _first_line(text: str, there: str) -> str:
    mine, theirs = text.splitlines(), there.splitlines()
    at = next((i for i, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs)))
    shown = [_cut(lines[at]) if at < len(lines) else "nothing" for lines in (theirs, mine)]
    return f"line {at + 1} is {shown[0]}, from the records {shown[1]}"


def _cut(line: str) -> str:
    line = plain(line)
    return f"`{line if len(line) <= 90 else line[:89] + '…'}`"
