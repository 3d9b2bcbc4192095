"""`ganbench reproduce`: a recorded run once more, and whether it comes out the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import Format, Output, Plugins, PluginsDirs, Weights


def reproduce(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder: spec.json and result.json are enough.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Keep the repetition there; it is deleted otherwise.")
    ] = None,
    weights: Weights = None,
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    format: Format = Output.text,
) -> None:
    """Repeat a recorded run from its specification, and say whether it is bitwise, consistent or inconsistent.

    Plugins are those installed here, or given with -p, and must have the recorded hashes. Exit code 1 where the
    repetition is inconsistent, or failed.
    """
    from ganbench.cli import reproducing
    from ganbench.cli.loading import doors

    raise typer.Exit(reproducing.reproduce(run, out, doors(plugin, plugins_dir, weights), format is Output.json))
