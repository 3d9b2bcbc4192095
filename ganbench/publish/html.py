"""Leaderboards as one HTML page that needs nothing else: no script, no font, no address elsewhere.

What a record says is text on it, never markup; a policy in its head forbids whatever could have come through.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ganbench.publish import figures
from ganbench.publish.parts import Part, parts
from ganbench.publish.tables import Table, table
from ganbench.publish.text import number, plain
from ganbench.rank import Leaderboard

COLOURS, DASHES = 8, 3
"""Curves of one page that can be told apart: colours, each with several kinds of line."""


@dataclass(frozen=True)
class Surroundings:
    """What a published page has beside its tables. links: address -> words; samples: (label, address) of pictures;
    commands: that make the runs again; facts: what they were made with."""

    links: Mapping[str, str] = field(default_factory=dict)
    samples: Sequence[tuple[str, str]] = ()
    commands: Sequence[str] = ()
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Board:
    words: Table
    seeds: figures.Seeds | None
    curves: figures.Curves | None
    pairs: list[list[str]]
    parts: list[Part]


def render(leaderboards: Iterable[Leaderboard], around: Surroundings | None = None) -> str:
    """One page with a section for each table."""
    boards = list(leaderboards)
    titles = dict.fromkeys(plain(board.suite["title"]) for board in boards)
    around = around or Surroundings()
    return _template("page.html.jinja").render(
        title=", ".join(titles) or "Leaderboards",
        version=version("ganbench"),
        mark="",
        boards=list(map(_board, boards)),
        **vars(around),
    )


def render_overview(
    title: str, about: str, mark: str, fields: Sequence[str], suites: Sequence[Any], again: Sequence[str]
) -> str:
    """The page above published suites. mark: a comment for its head. suites: with cells, and addresses of pages."""
    return str(
        _template("overview.html.jinja").render(
            title=title,
            about=about,
            mark=Markup(mark),
            version=version("ganbench"),
            fields=fields,
            suites=suites,
            commands=again,
        )
    )


def _board(board: Leaderboard) -> _Board:
    drawn = figures.seeds(board), figures.curves(board)
    return _Board(table(board), *drawn, list(_pairs(board)), parts(board))


@functools.cache
def _template(name: str) -> Any:
    templates = FileSystemLoader(Path(__file__).with_name("templates"))
    made = Environment(
        loader=templates, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["px"] = "{:.1f}".format
    made.globals["colour"] = lambda at: f"colour-{at % COLOURS} dash-{at // COLOURS % DASHES}"
    return made.get_template(name)


def _pairs(board: Leaderboard) -> Iterator[list[str]]:
    for pair in board.pairs.to_dict("records"):
        first, second, test, better = (plain(pair[name]) for name in ("first", "second", "test", "better"))
        yield [first, second, test, number(pair["p"]), number(pair["holm"]), better]
