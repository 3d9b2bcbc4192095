"""`ganbench info`: everything about one of them, or about a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli import completion
from ganbench.cli.options import Format, Output, Plugins, PluginsDirs
from ganbench.cli.terminal import as_json, columns
from ganbench.errors import UsageError, one_line
from ganbench.record.schema import RUN_FILES


def info(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="NAME, KIND/NAME, PROVIDER:NAME, or a run's folder.",
            autocompletion=completion.anything,
        ),
    ],
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    format: Format = Output.text,
) -> None:
    """Show what one plugin declares (paper, equations, recipe, requirements), or what a run's record says."""
    if _is_run(Path(name)):
        from ganbench.cli import run_info

        found = run_info.details(Path(name))
        typer.echo(as_json(found) if format is Output.json else run_info.page(found))
        return
    from ganbench.cli import describe, loading

    try:
        found = describe.details(describe.find(loading.look_up(plugin, plugins_dir), name))
    except UsageError:
        if not _is_place(Path(name)):
            raise
        from ganbench.cli import run_info
        from ganbench.execute import folders

        folders.named(Path(name))
        found = run_info.details(Path(name))
    if format is Output.json:
        typer.echo(as_json(found))
        return
    about = found.pop("about")
    typer.echo(columns([(key, _shown(value)) for key, value in found.items() if value not in (None, {}, [], "")]))
    if about:
        typer.echo("\n" + "\n".join("".join(c for c in line if c.isprintable()) for line in about.splitlines()))


def _is_run(folder: Path) -> bool:
    """Whether a word is the folder of a run, and not the name of a plugin."""
    return folder.is_dir() and any((folder / file).is_file() for file in RUN_FILES)


def _is_place(folder: Path) -> bool:
    """Whether a word that is no plugin is a folder, or says that it lies beside runs."""
    return folder.is_dir() or (len(folder.parts) > 1 and any(folder.parent.glob("*/spec.json")))


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_shown(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return one_line(value)
