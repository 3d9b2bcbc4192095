"""Options that several verbs share."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer
from typer.models import OptionInfo

from ganbench.cli import completion


class Output(enum.StrEnum):
    """Forms of an answer: for people, or for programs."""

    text = "text"
    json = "json"


class Page(enum.StrEnum):
    """Forms of a leaderboard."""

    text = "text"
    md = "md"
    latex = "latex"
    html = "html"
    csv = "csv"
    json = "json"


class Beside(enum.StrEnum):
    """Forms of a comparison."""

    text = "text"
    md = "md"
    json = "json"


class Spend(enum.StrEnum):
    """What early looks may be compared at."""

    updates = "updates"
    flops = "flops"


class Where(enum.StrEnum):
    """Who does the runs."""

    local = "local"
    slurm = "slurm"
    ray = "ray"


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


def named(kind: str, help: str, metavar: str = "NAME") -> OptionInfo:
    """`--kind NAME`, which a shell completes."""
    return typer.Option(f"--{kind}", metavar=metavar, help=help, autocompletion=completion.names(kind))


_ONLY = "Only it. Repeatable."
_ADDED = "Added to each entry. Repeatable."
Suite = Annotated[str, named("suite", "A suite's name, or its file (.toml).", "NAME|FILE")]
Architectures = Annotated[list[str] | None, named("architecture", _ONLY)]
Losses = Annotated[list[str] | None, named("loss", _ONLY)]
Regularizers = Annotated[list[str] | None, named("regularizer", _ADDED)]
Augmentations = Annotated[list[str] | None, named("augmentation", _ADDED)]
Presets = Annotated[list[str] | None, named("preset", _ONLY)]
Dataset = Annotated[str | None, named("dataset", "Instead of the suite's.")]
Settings = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A recipe key. Repeatable.")]
Modes = Annotated[
    list[str] | None,
    typer.Option(
        "--mode",
        metavar="NAME",
        help="How steps are computed: reference, fast, … Repeatable.",
        autocompletion=completion.modes,
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda (every GPU) or cuda:N.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", "-j", help="Runs at a time, at most; one per core or GPU if not given. Several may share a GPU."
    ),
]
On = Annotated[Where, typer.Option("--on", help="This machine, or jobs of a cluster (docs/clusters.md).")]
Ask = Annotated[
    list[str] | None,
    typer.Option(
        "--ask", metavar="KEY=VALUE", help="What each job asks of the cluster: partition=gpu, time=4:00:00. Repeatable."
    ),
]
PerJob = Annotated[
    int | None, typer.Option("--per-job", help="Runs that a job does one after the other; 1 if not given.", min=1)
]
Detach = Annotated[
    bool, typer.Option("--detach", help="Submit the jobs and end; the same command later waits for them.")
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the suite's folder goes.")]
Tier = Annotated[
    str | None,
    typer.Option("--tier", help="The suite's size; its default one if not given.", autocompletion=completion.tiers),
]
Extractors = Annotated[
    list[str] | None,
    typer.Option(
        "--extractor",
        metavar="NAME[@LAYER][=FILE]",
        help="Instead of the suite's. Repeatable.",
        autocompletion=completion.extractors,
    ),
]
Weights = Annotated[
    list[str] | None,
    typer.Option(
        "--weights",
        metavar="EXTRACTOR=FILE",
        help="Where the weights of an extractor lie that a record names. Repeatable.",
        autocompletion=completion.extractors,
    ),
]
Metrics = Annotated[list[str] | None, named("metric", "Not the suite's. Repeatable.")]
