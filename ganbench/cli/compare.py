"""`ganbench compare`: two entries, or two folders of results, side by side."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import Beside
from ganbench.cli.terminal import page_width


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="An entry's name, or a folder of one run or of many.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What it is compared with.")],
    within: Annotated[
        list[Path] | None,
        typer.Option("--in", metavar="DIR", help="Where entries are looked for. Repeatable.", show_default="runs"),
    ] = None,
    entry: Annotated[
        str | None, typer.Option("--entry", metavar="NAME", help="Only this entry of two folders.")
    ] = None,
    format: Annotated[Beside, typer.Option("--format", help="How the comparison is written.")] = Beside.text,
) -> None:
    """Show in what two entries differ, whether they may be compared, and what their seeds say of it."""
    from rich.console import Console

    from ganbench import rank
    from ganbench.publish import comparison

    found = rank.comparisons(a, b, within or [Path("runs")], entry)
    if format is Beside.text and sys.stdout.isatty():
        comparison.show(found, Console())
    else:
        typer.echo(comparison.render(found, format.value, page_width()), nl=False)
