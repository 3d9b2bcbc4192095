"""`ganbench publish`: the folder that is committed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.errors import UsageError, one_line


def publish(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of runs, or of suites.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where the pages go: one folder per suite.")],
) -> None:
    """Write leaderboards and records, without weights or real images, into a folder to commit."""
    from ganbench import publish

    try:
        written = publish.publish(directories, to)
    except OSError as error:
        raise UsageError(
            f"{error.filename or to}: cannot be used ({error.strerror or error}); name another folder with --to"
        ) from None
    for path in written:
        typer.echo(one_line(path))
