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
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            metavar="VALUE|LEVEL",
            help="Show when early looks reached a value of the headline, or a level of the suite. Repeatable.",
        ),
    ] = None,
    format: Annotated[Page, typer.Option("--format", help="How the tables are written.")] = Page.text,
) -> None:
    """Show the leaderboards of the runs under these folders, those of one suite together."""
    show(directories or [Path("runs")], format.value, target)


def show(directories: list[Path], format: str, targets: list[str] | None = None) -> None:
    """Print the leaderboards under these folders; in colour and to its width where stdout is a terminal, else as wide
    as `page_width` says. targets: of time to quality; every level where none is given, and none in the text form."""
    from rich.console import Console

    from ganbench import publish, rank

    boards = rank.leaderboards(directories, targets or ([] if format == "text" else None))
    if format == "text" and sys.stdout.isatty():
        publish.show(boards, Console())
    else:
        typer.echo(publish.render(boards, format, page_width()), nl=False)
