"""Leaderboards for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from ganbench.publish.parts import Part, parts
from ganbench.publish.tables import Field, Table, table
from ganbench.rank import Leaderboard

_WIDE = "md, latex, html, csv and json"
_HEADLINE = 28
"""Widest headline; the values of many seeds, some failed, go on in the next line."""
_STYLES = {"unranked": "yellow", "foreign": "cyan", "scale": "dim"}


def show(leaderboards: Iterable[Leaderboard], console: Console) -> None:
    """Prints the tables; on a narrow console costs, then scores, go into further tables, and the rest is named."""
    for at, board in enumerate(leaderboards):
        if at:
            console.print()
        console.print(Group(*_board(table(board, aligned=True), console), *map(_part, parts(board))))


def _board(words: Table, console: Console) -> Iterator[RenderableType]:
    yield Text(words.title, style="bold")
    parts, dropped = _fit(words, console)
    for part in parts:
        yield Text("")
        yield rich_table(part)
    yield Text("")
    for line in words.notes:
        yield Text(line, style="yellow")
    for line in words.captions:
        yield Text(line, style="dim")
    if dropped:
        yield Text(f"Too narrow here for {', '.join(dropped)}: the formats {_WIDE} have every column.", style="dim")


def _part(part: Part) -> Group:
    shown: list[RenderableType] = []
    for words in part.tables:
        shown += [Text(f"\n{part.title}, {words.title}\n", style="bold"), rich_table(words)]
    if part.notes:
        shown += [Text(""), *(Text(line, style="dim") for line in part.notes)]
    return Group(*shown)


def _fit(words: Table, console: Console) -> tuple[list[Table], list[str]]:
    """One table, or several that fit one below the other, and the titles of the columns that fit nowhere."""
    if _width(words, console) <= console.width:
        return [words], []
    scores = words.only(lambda column: column.part not in ("cost", "sanity"))
    costs = words.only(lambda column: column.title == "Entry" or column.part in ("cost", "sanity"))
    for without in ("foreign", "scale"):
        costs.sections.pop(without, None)
    scores, moved = _without_last_scores(scores, console)
    others = words.only(lambda column: column.title == "Entry" or column in moved)
    others, dropped = _without_last_scores(others, console)
    parts = [scores, *(part for part in (others, costs) if len(part.fields) > 1 and part.sections)]
    return parts, [column.title for column in dropped]


def _without_last_scores(words: Table, console: Console) -> tuple[Table, list[Field]]:
    """The table with as many columns of scores as fit, and the columns that do not."""
    gone: list[Field] = []
    for last in reversed([column for column in words.fields if column.part == "score"]):
        if _width(words, console) <= console.width:
            break
        gone.insert(0, last)
        words = words.only(lambda column: column not in gone)
    return words, gone


def _width(words: Table, console: Console) -> int:
    return console.measure(rich_table(words), options=console.options.update(width=10_000)).maximum


def _two_lines(title: str) -> str:
    """A long title broken before the slash that leaves its lines shortest."""
    cuts = [at for at, ch in enumerate(title) if ch == "/"] if len(title) > 12 else []
    best = min(cuts, key=lambda at: max(at, len(title) - at), default=0)
    return f"{title[:best]}\n{title[best:]}" if best else title


def rich_table(words: Table) -> RichTable:
    """The table as the terminal shows it, without its title and what is said under it."""
    made = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    for at, column in enumerate(words.fields):
        wraps = column.part in ("name", "headline") and column.left
        longest = max((len(row[at]) for rows in words.sections.values() for row in rows), default=1)
        title = _two_lines(column.title)
        widest = max(min(longest, _HEADLINE), *map(len, title.split("\n")), 1)
        made.add_column(
            Text(title),
            justify="left" if column.left else "right",
            no_wrap=not wraps,
            overflow="fold",
            max_width=widest if column.part == "headline" else None,
        )
    for name, rows in words.sections.items():
        made.add_section()
        for row in rows:
            made.add_row(*map(Text, row), style=_STYLES.get(name))
    return made
