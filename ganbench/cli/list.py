"""`ganbench list`: what is there."""

from __future__ import annotations

from typing import Annotated

import typer

from ganbench.cli import completion
from ganbench.cli.options import Format, Output, Plugins, PluginsDirs
from ganbench.cli.terminal import as_json, columns


def list_plugins(
    kind: Annotated[
        str | None,
        typer.Argument(metavar="[KIND]", help="architecture, loss, preset, suite, …", autocompletion=completion.kinds),
    ] = None,
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    format: Format = Output.text,
) -> None:
    """List what plugins registered: architectures, losses, data sets, suites and so on."""
    from ganbench.cli import describe, loading
    from ganbench.plugins import KINDS

    kinds = [describe.kind_of(kind)] if kind else list(KINDS)
    registry = loading.look_up(plugin, plugins_dir)
    found = [describe.summary(entry) for k in kinds for entry in registry.of(k)]
    if format is Output.json:
        typer.echo(as_json(found))
        return
    for k in kinds:
        rows = [(f["name"], f["provider"], f["summary"]) for f in found if f["kind"] == k]
        if rows:
            typer.echo(f"{k}\n" + "\n".join(f"  {line}" for line in columns(rows).splitlines()))
    if not found:
        typer.echo("nothing is registered; install a plugin, or give its file with -p", err=True)
