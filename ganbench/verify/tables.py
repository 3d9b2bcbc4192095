"""Tables made again from the records, and compared with those that lie there."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile, zip_longest
from pathlib import Path

from ganbench.errors import UsageError
from ganbench.publish.overview import is_own, overview
from ganbench.publish.results import EQUAL, LATEX, PAGE, SITE, TABLE, TIMES, pages, suites_in
from ganbench.publish.text import plain
from ganbench.rank import Record
from ganbench.verify.lost import Row, comparable, stand_ins
from ganbench.verify.runs import Finding

PAGES = (TABLE, PAGE)
"""Files that tell a published folder from working space."""
KEY = ("suite", "comparability", "section", "label", "variant", "column", "seed")
CLOSE = 1e-9
"""Relative difference of derived numbers (means, bounds) between two machines; values of seeds are compared exactly."""
SHOWN = 5
"""Differing lines of one table that are told."""
BEFORE = 30
"""Characters shown of a long line before what differs in it."""
LOST = "reason"
"""A column that says more of a row with lost runs than their stand-ins know."""

Key = tuple[str, ...]


@dataclass
class _Table:
    """A CSV: its lines, each with every column of its header, and what is wrong with its form."""

    header: list[str]
    lines: list[Row]
    problems: list[str] = field(default_factory=list)

    def by_key(self) -> dict[Key, list[Row]]:
        """Its lines by what tells them apart."""
        found: dict[Key, list[Row]] = defaultdict(list)
        for line in self.lines:
            found[_key(line)].append(line)
        return found


def published(home: Path) -> bool:
    """Whether a folder has tables."""
    return any((home / name).is_file() for name in PAGES)


def tables(records: Sequence[Record], home: Path) -> Iterator[Finding]:
    """What of a published folder's tables does not follow from its records, stand-ins for those of lost runs beside."""
    yield from (Finding(home / name, "is missing") for name in PAGES if not (home / name).is_file())
    try:
        made = pages(list(records), home)
        mine, theirs = _table(made[TABLE]), _table(_there(home / TABLE, made[TABLE]))
        known = mine.by_key()
        lost = [line for line in theirs.lines if line["status"] == "missing" and _key(line) not in known]
        if lost and (absent := stand_ins(lost, records)):
            yield Finding(home, f"tells of {len(absent)} lost run{'s' * (len(absent) > 1)}, which nothing shows", False)
            made = pages([*records, *absent], home)
            mine = _table(made[TABLE])
    except UsageError as error:
        yield Finding(home, f"tables not compared: {error}", False)
        return
    found = [*_differences(mine, theirs, lost), *theirs.problems]
    yield from _few(home / TABLE, list(dict.fromkeys(found)))
    for page in (PAGE, SITE, LATEX, TIMES, EQUAL):
        follows = made.get(page, "")
        shown = _there(home / page, follows)
        if shown != follows and (line := _first_line(follows, shown, lost)):
            found.append(line)
            yield Finding(home / page, line)
        if found or lost:  # the other pages say the same; there, what lost runs add has no place of its own
            return


def above(root: Path) -> Iterator[Finding]:
    """What of the pages above published suites does not follow from these; pages of somebody else are left alone."""
    for name, made in overview(suites_in(root)).items():
        if not (root / name).is_file():
            yield Finding(root / name, "is not there (ganbench publish writes it)", False)
        elif is_own(root / name) and (shown := _there(root / name, made)) != made:
            yield Finding(root / name, _first_line(made, shown, []))


def _there(file: Path, otherwise: str) -> str:
    return file.read_text("utf-8", "replace") if file.is_file() else otherwise


def _table(text: str) -> _Table:
    try:
        header, *rows = csv.reader(io.StringIO(text), strict=True)
    except (csv.Error, ValueError) as error:
        return _Table([], [], [f"is no table ({error if text else 'it is empty'})"])
    filled = [(at, row) for at, row in enumerate(rows, 2) if row]
    odd = [(at, len(row)) for at, row in filled if len(row) != len(header)]
    wrong = [f"row {at} has {cells} cells, the header has {len(header)}" for at, cells in odd[:1]]
    lines = [defaultdict(str, zip_longest(header, row[: len(header)], fillvalue="")) for _, row in filled]
    return _Table(header, [*lines], wrong)


def _key(line: Row) -> Key:
    return tuple(line[part] for part in KEY)


def _few(file: Path, found: list[str]) -> Iterator[Finding]:
    yield from (Finding(file, what) for what in found[:SHOWN])
    if len(found) > SHOWN:
        yield Finding(file, f"and {len(found) - SHOWN} further lines")


def _differences(mine: _Table, theirs: _Table, lost: Sequence[Row]) -> Iterator[str]:
    """Columns and values that differ; only where there is none, what follows from them."""
    if not theirs.header:
        return
    if mine.header != theirs.header:
        yield _header(mine.header, theirs.header)
    columns = [name for name in dict.fromkeys(mine.header) if name in theirs.header]
    unknown = {_row(line) for line in lost}
    known, given = mine.by_key(), theirs.by_key()
    values, others = [], []
    for key in dict.fromkeys([*given, *known]):
        for shown, made in zip_longest(given.get(key, []), known.get(key, [])):
            if made is None:
                what = "a line once more" if key in known else "no record gives this line"
                values.append(f"{_who(shown)}: {what}")
            elif shown is None:
                values.append(f"{_who(made)}: has a record and no line")
            elif shown["value"] != made["value"]:
                there, here = (plain(line["value"]) for line in (shown, made))
                values.append(f"{_who(made)}: {there or 'no value'} in the table, {here or 'none'} in the record")
            else:
                for name in columns:
                    if not (_close(shown[name], made[name]) or (name == LOST and _row(made) in unknown)):
                        others.append(
                            f"{_who(made)}: {name} is {plain(shown[name])}, from the records {plain(made[name])}"
                        )
    yield from values or sorted(others)


def _row(line: Row) -> Key:
    """What is one row of the table."""
    return tuple(line[part] for part in KEY if part not in ("column", "seed"))


def _header(mine: list[str], theirs: list[str]) -> str:
    for some, others, what in ((mine, theirs, "lacks"), (theirs, mine, "follows no record with")):
        if strange := [name for name in some if name not in others]:
            return f"{what} the column{'s' * (len(strange) > 1)} {_cut(', '.join(strange))}"
    return "has its columns in another order, or twice"


def _who(row: Row) -> str:
    seed = f", seed {row['seed']}" if row["seed"] else ""
    return plain(f"{row['label']}{seed}, {row['column']}")


def _close(one: str, two: str) -> bool:
    if one == two:
        return True
    try:
        return math.isclose(float(one), float(two), rel_tol=CLOSE, abs_tol=CLOSE)
    except ValueError:
        return False


def _first_line(text: str, there: str, lost: Sequence[Row]) -> str:
    """The first line of a page that does not follow; nothing where only lost runs could say why."""
    mine, theirs = comparable(text, lost), comparable(there, lost)
    nothing = (len(there.splitlines()) + 1, "")
    for made, shown in zip_longest(mine, theirs):
        if made is None or shown is None or made[1] != shown[1]:
            words = [None if line is None else plain(line[1]) for line in (shown, made)]
            alike = sum(
                1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*(w or "" for w in words), strict=False))
            )
            said = ["nothing" if line is None else _cut(line, max(0, alike - BEFORE)) for line in words]
            return f"line {(shown or nothing)[0]} is {said[0]}, from the records {said[1]}"
    return "" if lost else "its ends of lines are not those that are written"


def _cut(line: str, start: int = 0) -> str:
    line = plain(line)
    line = f"…{line[start:]}" if start and len(line) > 90 else line
    return f"`{line if len(line) <= 90 else line[:89] + '…'}`"
