"""`ganbench leaderboard`: tables from records alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import Page, Spend
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
    equal: Annotated[
        list[Spend] | None,
        typer.Option(
            "--equal", help="Show what early looks gave at equal generator updates, or at equal FLOPs. Repeatable."
        ),
    ] = None,
    format: Annotated[Page, typer.Option("--format", help="How the tables are written.")] = Page.text,
) -> None:
    """Show the leaderboards of the runs under these folders, those of one suite together."""
    show(directories or [Path("runs")], format.value, target, [spend.value for spend in equal or []])


def show(directories: list[Path], format: str, targets: list[str] | None = None, spends: Sequence[str] = ()) -> None:
    """Print the leaderboards under these folders; in colour and to its width where stdout is a terminal, else as wide
    as `page_width` says. targets: of time to quality; every level where none is given, and none in the text form;
    so too spends, at which looks are compared."""
    from rich.console import Console

    from ganbench import publish, rank

    unasked: list[str] | None = [] if format == "text" else None
    boards = rank.leaderboards(directories, targets or unasked, spends or unasked)
    if format == "text" and sys.stdout.isatty():
        publish.show(boards, Console())
    else:
        typer.echo(publish.render(boards, format, page_width()), nl=False)
