"""Options that several verbs share."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


class Output(enum.StrEnum):
    """Forms of an answer: for people, or for programs."""

    text = "text"
    json = "json"


class Page(enum.StrEnum):
    """Forms of a leaderboard."""

    text = "text"
    md = "md"
    csv = "csv"
    json = "json"


class Resume(enum.StrEnum):
    """Which runs of a suite are run."""

    missing = "missing"
    failed = "failed"
    forced = "forced"
    all = "all"
    never = "never"


Plugins = Annotated[
    list[str] | None,
    typer.Option("-p", "--plugin", metavar="FILE|MODULE", help="Load a plugin from a file or a module. Repeatable."),
]
PluginsDirs = Annotated[
    list[Path] | None,
    typer.Option("--plugins-dir", metavar="DIR", help="Load every plugin file of a folder. Repeatable."),
]
Format = Annotated[Output, typer.Option("--format", help="For people, or for programs.")]
