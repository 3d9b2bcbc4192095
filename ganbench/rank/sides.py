"""The two sides of a comparison: rows by their names or folders, and which row of one side belongs to which of the
other."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import UsageError, nearest
from ganbench.rank.groups import group
from ganbench.rank.ranking import Ranking, ranking
from ganbench.rank.records import load_records
from ganbench.rank.rows import Row, Seed
from ganbench.rank.seeds import keep

Read = Callable[[tuple[str | Path, ...]], list["Entry"]]
Matched = tuple[list[tuple["Entry", "Entry"]], list["Entry"], list["Entry"]]


@dataclass(frozen=True, eq=False)
class Entry:
    """A row with the table that it stands in. where: the folder that it was read from, or the suite's id."""

    where: str
    table: Ranking
    row: Row

    @property
    def suite(self) -> str:
        """The suite's id."""
        return str(self.table.table.suite["id"])

    @property
    def seeds(self) -> list[Seed]:
        """Those that finished."""
        return [seed for seed in self.row.seeds if seed.counts]


def sides(a: str, b: str, within: Sequence[str | Path], entry: str | None) -> tuple[list[Entry], list[Entry]]:
    """The entries that two words mean, each a folder or a name. Names of one place stand in the same tables."""
    read = functools.cache(_entries)
    return _side(a, tuple(within), entry, read), _side(b, tuple(within), entry, read)


def _side(word: str, within: tuple[str | Path, ...], entry: str | None, read: Read) -> list[Entry]:
    if not Path(word).is_dir():
        if not all(Path(place).is_dir() for place in within):
            raise UsageError(
                f"no folder {word}, and none {_places(within)} with an entry of that name; name one with --in"
            )
        return [_named(word, read(within), f"no folder {word}, and no entry of that name in {_places(within)}")]
    found = read((word,))
    if entry is not None:
        return [_named(entry, found, f"no entry {entry} in {word}")]
    main = [e for e in found if e.row.main and not e.row.scale]
    if not found:
        raise UsageError(f"{word}: no run in it is finished, so that there is nothing to compare")
    return main or found


def _entries(within: tuple[str | Path, ...]) -> list[Entry]:
    tables = [ranking(table) for table in group(keep(load_records(within)).records)]
    return [Entry(_places(within), table, row) for table in tables for row in table.rows if row.section != "skipped"]


def _places(within: Iterable[str | Path]) -> str:
    return ", ".join(map(str, within))


def _named(word: str, found: list[Entry], missing: str) -> Entry:
    short = _dashed(word)
    mine = (
        [e for e in found if e.row.label == word]
        or [e for e in found if _dashed(e.row.label) == short]
        or [e for e in found if e.row.main and _dashed(e.row.label).startswith(f"{short}-")]
    )
    if not mine:
        raise UsageError(f"{missing}; {nearest(short, (_dashed(e.row.label) for e in found))}")
    if len(mine) > 1 and not all(e.row.scale for e in mine):  # the same stand in several tables of a suite
        where = ", ".join(sorted({f"{_dashed(e.row.label)} in {e.suite}" for e in mine})[:6])
        raise UsageError(f"{word} may be {where}: write it out, or name the folder of one suite or run")
    return mine[0]


def _dashed(label: str) -> str:
    """The words of a label, which a shell takes as they stand."""
    return re.sub(r"[\W_]+", "-", label.lower()).strip("-")[:120]


def matched(left: list[Entry], right: list[Entry]) -> Matched:
    """Pairs of one entry in both, in the order of the left side, and what is left over on each."""
    pairs: list[tuple[Entry, Entry]] = []
    mine, theirs = list(left), list(right)
    ways: list[Callable[[Entry], object]] = [
        lambda e: (e.suite, e.row.entry["key"], e.row.variant),
        lambda e: (e.suite, e.row.label),
        lambda e: e.row.label,
    ]
    for same in ways:
        for one in list(mine):
            other = next((e for e in theirs if same(e) == same(one)), None)
            if other is not None:
                pairs.append((one, other))
                mine.remove(one)
                theirs.remove(other)
    order = {id(e): at for at, e in enumerate(left)}
    return sorted(pairs, key=lambda pair: order[id(pair[0])]), mine, theirs


def repeated(a: Entry, b: Entry) -> bool:
    """Whether both sides have runs of one and the same id."""
    ids = [{seed.record["run_id"] for seed in side.seeds} for side in (a, b)]
    return a.row is not b.row and bool(ids[0] & ids[1])


def repetitions(a: Entry, b: Entry, column: str) -> list[tuple[float, float]]:
    """Both values in a column of every run that both sides have."""
    theirs = {seed.record["run_id"]: seed for seed in b.seeds}
    both = [(seed, theirs[seed.record["run_id"]]) for seed in a.seeds if seed.record["run_id"] in theirs]
    return [(x.scores[column], y.scores[column]) for x, y in both if column in x.scores and column in y.scores]
