"""Leaderboards to pages: terminal, Markdown, LaTeX, HTML, CSV, JSON, and the folder that is committed.

Neither torch nor plugins.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

from rich.console import Console

from ganbench.errors import UsageError, nearest
from ganbench.publish import csv, html, json, latex, markdown
from ganbench.publish.console import show
from ganbench.publish.results import publish
from ganbench.rank import Leaderboard

__all__ = ["FORMATS", "publish", "render", "show"]

_PAGES: dict[str, Callable[[Iterable[Leaderboard]], str]] = {
    "md": markdown.render,
    "latex": latex.render,
    "html": html.render,
    "csv": csv.render,
    "json": json.render,
}
FORMATS = ("text", *_PAGES)


def render(leaderboards: Iterable[Leaderboard], format: str = "text", width: int = 100) -> str:
    """The tables in one of `FORMATS`. width: columns of the text form (`show` prints to a console of its own width)."""
    if format == "text":
        page = io.StringIO()
        # without both sizes, rich asks the environment
        console = Console(file=page, width=width, height=25, color_system=None, legacy_windows=False)
        show(leaderboards, console)
        return "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"
    if format not in _PAGES:
        raise UsageError(f"no format `{format}`: {nearest(format, FORMATS)}")
    return _PAGES[format](leaderboards)
