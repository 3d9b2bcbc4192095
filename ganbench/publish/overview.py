"""The pages above the published suites: what lies there, how it was made, and no row of any.

Suites are not compared with each other, so that nothing here says who is best.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ganbench.errors import UsageError
from ganbench.publish import html, markdown
from ganbench.publish.again import PUBLISH, commands
from ganbench.publish.provenance import facts
from ganbench.publish.text import NOTHING, plain
from ganbench.rank import Record, load_records
from ganbench.rank.seeds import keep

PAGE, README, SITE = "LEADERBOARD.md", "README.md", "index.html"
TITLE = "Results"
MARK = "<!-- Written by `ganbench publish`; without this line it leaves the file alone. -->"
_ABOUT = (
    "Each line is one suite at one size, with a page of its own. Nothing is compared across lines: their data, "
    "measurements or budgets differ."
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
FIELDS = ("Suite", "Entries", "Seeds", "Budget", "Data", "Headline", "Machine", "Made", "ganbench")


@dataclass(frozen=True)
class Suite:
    """One suite's line. folder: its name. cells: as `FIELDS` has them. commands: that make it again."""

    folder: str
    cells: tuple[str, ...]
    commands: tuple[str, ...]

    def address(self, page: str) -> str:
        """Of one of its pages, from here."""
        return f"{quote(self.folder)}/{page}"


def overview(suites: Iterable[Path]) -> dict[str, str]:
    """The pages by file name. suites: published folders, beside each other."""
    found = [suite for folder in sorted(suites) if (suite := _suite(folder)) is not None]
    again = [line for suite in found for line in (f"# {suite.folder}", *suite.commands)]
    again.append(PUBLISH)
    return {README: _markdown(found, again), SITE: html.render_overview(TITLE, _ABOUT, MARK, FIELDS, found, again)}


def is_own(file: Path) -> bool:
    """Whether a page may be written over: there is none, or it was written here."""
    return not file.exists() or (file.is_file() and MARK.encode() in file.read_bytes()[:1000])


def _suite(folder: Path) -> Suite | None:
    """The facts of a suite's folder; None where no run of it lies there, or one cannot be read."""
    try:
        records = [record for record in load_records([folder]) if record["suite"]["id"] == folder.name]
    except UsageError:
        return None
    kept = [record for record in keep(records).records if record["status"] != "skipped"]
    if not kept:
        return None
    suite = max(records, key=lambda record: (record["finished"], record["run_id"]))["suite"]
    trained = [record for record in kept if record["kind"] == "trained"]
    seeds = Counter(record["entry"]["key"] for record in trained)
    foreign = len({record["entry"]["key"] for record in kept if record["kind"] == "foreign"})
    days = sorted(day[0] for record in kept if (day := _DATE.match(record["finished"])))
    made = facts(record.get("environment") or {} for record in kept)
    cells = (
        f"{plain(suite['title'])} · {plain(suite['tier'])} ({plain(suite['table'])})",
        f"{len(seeds)}" + f" + {foreign} foreign" * bool(foreign),
        _span(sorted(seeds.values())),
        ", ".join(
            f"{_amount(value)} {plain(key).replace('_', ' ')}" for key, value in (suite.get("budget") or {}).items()
        ),
        _joined(name for record in trained for name in _data(record)),
        plain(suite["headline"]),
        _joined(made[key] for key in ("cpu", "gpu") if key in made),
        _span(days),
        _joined([made["ganbench"]] if "ganbench" in made else []),
    )
    return Suite(folder.name, tuple(cell or NOTHING for cell in cells), tuple(commands(records)))


def _span(values: list[Any]) -> str:
    """The first and the last of sorted values."""
    return "–".join(dict.fromkeys(map(str, values[:1] + values[-1:])))


def _joined(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(plain(word) for word in words))


def _amount(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else plain(value)


def _data(record: Record) -> Iterator[str]:
    streams = record.get("data")
    for data in streams.values() if isinstance(streams, dict) else []:
        if isinstance(data, dict) and isinstance(name := data.get("name"), str):
            yield name


def _markdown(suites: Sequence[Suite], again: Sequence[str]) -> str:
    lines = [MARK, "", f"# {TITLE}", "", _ABOUT, ""]
    lines += [markdown.table_line(list(FIELDS)), markdown.table_line([":--"] * len(FIELDS))]
    for suite in suites:
        first, *others = map(markdown.escape, suite.cells)
        lines.append(markdown.table_line([f"[{first}]({suite.address(PAGE)})", *others]))
    return "\n".join([*lines, "", "## How to make them again", "", "```sh", *again, "```", ""])
