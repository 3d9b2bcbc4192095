"""`ganbench leaderboard`: tables from records alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import Page
from ganbench.cli.terminal import page_width


def leaderboard(
    directories: Annotated[
        list[Path] | None, typer.Argument(metavar="DIR", help="Folders of runs or results.", show_default="runs")
    ] = None,
    format: Annotated[Page, typer.Option("--format", help="How the tables are written.")] = Page.text,
) -> None:
    """Show the leaderboards of the runs under these folders, those of one suite together."""
    show(directories or [Path("runs")], format.value)


def show(directories: list[Path], format: str) -> None:
    """Print the leaderboards under these folders; in colour and to its width where stdout is a terminal, else as wide
    as `page_width` says."""
    from rich.console import Console

    from ganbench import publish, rank

    boards = rank.leaderboards(directories)
    if format == "text" and sys.stdout.isatty():
        publish.show(boards, Console())
    else:
        typer.echo(publish.render(boards, format, page_width()), nl=False)
