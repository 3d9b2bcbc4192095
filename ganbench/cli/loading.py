"""Plugins for a verb, with a line of warning for each that is broken or claims the name of another."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from ganbench.cli.terminal import one_line
from ganbench.plugins import Registry
from ganbench.plugins import load as load_plugins


def load(asked: Iterable[str] | None, directories: Iterable[Path] | None) -> Registry:
    """The registry; warnings go to stderr."""
    registry = load_plugins(asked or (), directories or ())
    for broken in registry.broken:
        typer.echo(one_line(f"ganbench: warning: plugin {broken.source} is left out: {broken.reason}"), err=True)
    for clash in registry.clashes():
        typer.echo(one_line(f"ganbench: warning: {clash}"), err=True)
    return registry
