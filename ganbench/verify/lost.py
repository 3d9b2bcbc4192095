"""Runs that the harness lost: tables tell of them, and nothing of them is published. What a table says of one is enough
to make the table again; what it cannot say (why, where, how it was asked for) stays out of the comparison."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ganbench.plan.spec import FOREIGN, SCALE, TRAINED
from ganbench.publish.markdown import escape
from ganbench.publish.text import plain
from ganbench.rank import Record

AGAIN, MADE_WITH = "## How to make it again", "## Made with"
_SEED = re.compile(r"\d{1,18}")
_MARKED = re.compile(r"""(^|[;|])'(?=\s*["']*\s*[=+\-@＝＋－＠])""")
"""What `ganbench.publish.csv` puts before the start of a formula, and where."""
_TOLD_APART = re.compile(r"(.*) #([0-9a-f]{6})")

Row = Mapping[str, str]


def stand_ins(lines: Iterable[Row], records: Sequence[Record]) -> list[Record]:
    """A record for each run that these lines of a table call missing. records: what is there."""
    made: dict[tuple[str, int], Record] = {}
    for line in lines:
        if _SEED.fullmatch(seed := line["seed"] or "0"):
            mine = [record for record in records if record["suite"]["id"] == line["suite"]] or records
            newest = max(mine, key=lambda record: (record["finished"], record["run_id"]))
            kind, entry = _entry(line, mine)
            made[entry["key"], int(seed)] = {
                "run_id": f"lost {entry['key']} {seed}",
                "kind": kind,
                "status": "killed",
                "reason": line["reason"],
                "finished": "",
                "suite": newest["suite"],
                "entry": entry,
                "seed": int(seed),
            }
    return list(made.values())


def _entry(line: Row, records: Sequence[Record]) -> tuple[str, dict[str, Any]]:
    """The kind and the entry of a line: that of its other seeds, or what the line says of it."""
    told = _TOLD_APART.fullmatch(line["label"])
    label, start = told.groups() if told else (line["label"], "")
    weights = f" ({plain(line['variant'].rpartition('-')[2])})"
    for record in records:
        shown = plain(record["entry"]["label"])
        if record["entry"]["key"].startswith(start) and _unquoted(label) in (shown, shown + weights):
            return record["kind"], record["entry"]
    kind = {"foreign": FOREIGN, "scale": SCALE}.get(line["section"], TRAINED)
    entry = {"label": _unquoted(label), "key": start.ljust(7, "-") + line["label"], "seeded": bool(line["seed"])}
    words = {key: _unquoted(line[key]) for key in ("architecture", "loss", "preset", "game", "mode", "role")}
    joined = {key: [_unquoted(line[key])] for key in ("regularizers", "augmentations") if line[key]}
    return kind, {**entry, **words, **joined, "conditional": line["conditional"] == "True"}


def _unquoted(cell: str) -> str:
    """A cell without the marks that keep a spreadsheet from taking a part of it for a formula."""
    return _MARKED.sub(r"\1", cell)


def comparable(page: str, lines: Sequence[Row]) -> list[tuple[int, str]]:
    """The numbered lines of a page without what only the lost runs of these lines can say: the reasons of their rows,
    their machines, and the commands that asked for them."""
    numbered = list(enumerate(page.splitlines(), 1))
    if not lines:
        return numbered
    labels = dict.fromkeys(_unquoted(line["label"]) for line in lines)
    notes = tuple(escape(f"{word}: {label} (") for word in ("Failed", "Missing", "Not scored") for label in labels)
    return list(_without(numbered, tuple(f"- {note}" for note in notes)))


def _without(lines: Iterable[tuple[int, str]], notes: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    section = ""
    for number, line in lines:
        if line.startswith("## "):
            section = line
        told = (section == AGAIN and _asks_for_runs(line)) or (section == MADE_WITH and line.startswith("- "))
        if not told and not line.startswith(notes):
            yield number, line


def _asks_for_runs(line: str) -> bool:
    """Whether this is `ganbench run` with some words, and nothing that a shell takes for more."""
    try:
        return line.startswith("ganbench run ") and shlex.join(shlex.split(line)) == line
    except ValueError:
        return False
