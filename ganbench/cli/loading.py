"""Plugins for a verb, with a line of warning for each that is broken or claims the name of another."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from ganbench.errors import UsageError, one_line
from ganbench.execute.slot import Doors
from ganbench.index import Index
from ganbench.plugins import Registry
from ganbench.plugins import load as load_plugins


def load(asked: Iterable[str] | None, directories: Iterable[Path] | None) -> Registry:
    """The registry; warnings go to stderr. What it says of itself is kept for `look_up`."""
    index = Index.of(asked, directories)
    registry = load_plugins(index.asked, index.directories)
    _warn(registry)
    if index.kept() is None:
        from ganbench.index.describe import describe

        index.keep(describe(registry))
    return registry


def look_up(asked: Iterable[str] | None, directories: Iterable[Path] | None) -> Registry:
    """The registry of descriptions, for which no plugin is imported here; warnings go to stderr."""
    registry = Index.of(asked, directories).load()
    _warn(registry)
    return registry


def known(asked: Iterable[str] | None, directories: Iterable[Path] | None) -> Registry | None:
    """The registry of descriptions if it is at hand and whole: a name that it lacks need not be looked for."""
    registry = Index.of(asked, directories).kept()
    return None if registry is None or registry.broken else registry


def doors(asked: Iterable[str] | None, directories: Iterable[Path] | None, weights: Iterable[str] | None) -> Doors:
    """The doors of a verb that scores again. weights: words of the form EXTRACTOR=FILE."""
    asked, directories, files = tuple(asked or ()), tuple(directories or ()), {}
    for word in weights or ():
        name, equals, file = word.partition("=")
        if not (name and equals and file):
            raise UsageError(f"--weights {word}: expected EXTRACTOR=FILE")
        if not Path(file).is_file():
            raise UsageError(f"--weights {word}: there is no file {file}")
        files[look_up(asked, directories).find("extractor", name).name] = Path(file)
    return Doors(asked, directories, files)


def _warn(registry: Registry) -> None:
    for broken in registry.broken:
        typer.echo(one_line(f"ganbench: warning: plugin {broken.source} is left out: {broken.reason}"), err=True)
    for clash in registry.clashes():
        typer.echo(one_line(f"ganbench: warning: {clash}"), err=True)
