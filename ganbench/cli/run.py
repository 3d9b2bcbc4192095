"""`ganbench run`: plan a suite, finish its runs, show the leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli import completion
from ganbench.cli.options import Extractors, Format, Metrics, Output, Plugins, PluginsDirs, Resume, Tier, named

_Many = list[str] | None
_ONLY = "Only it. Repeatable."
_ADDED = "Added to each entry. Repeatable."


def run(
    suite: Annotated[str, named("suite", "A suite's name, or its file (.toml).", "NAME|FILE")],
    tier: Tier = None,
    architecture: Annotated[_Many, named("architecture", _ONLY)] = None,
    loss: Annotated[_Many, named("loss", _ONLY)] = None,
    regularizer: Annotated[_Many, named("regularizer", _ADDED)] = None,
    augmentation: Annotated[_Many, named("augmentation", _ADDED)] = None,
    preset: Annotated[_Many, named("preset", _ONLY)] = None,
    mode: Annotated[
        _Many,
        typer.Option(
            "--mode",
            metavar="NAME",
            help="How steps are computed: reference, fast, … Repeatable.",
            autocompletion=completion.modes,
        ),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", metavar="SEEDS", help="5 is seed 5, 0..4 is five seeds, 0,3 is two.")
    ] = None,
    settings: Annotated[_Many, typer.Option("--set", metavar="KEY=VALUE", help="A recipe key. Repeatable.")] = None,
    extractor: Extractors = None,
    metric: Metrics = None,
    dataset: Annotated[str | None, named("dataset", "Instead of the suite's.")] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda (every GPU) or cuda:N.")] = "auto",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", help="Runs at a time, at most; one per core or GPU if not given. Several may share a GPU."
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the suite's folder goes.")] = Path("runs"),
    resume: Annotated[
        Resume,
        typer.Option(
            "--resume",
            help="missing: whatever has no result; failed: what was lost; forced: as missing, also from checkpoints of "
            "other code, versions or machines; all: everything again; never: refuse a folder that is not empty.",
        ),
    ] = Resume.missing,
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and write nothing.")] = False,
    format: Format = Output.text,
) -> None:
    """Run a suite: train every entry with every seed, score the samples, show the leaderboard.

    The same command again does what is still missing.
    """
    from ganbench.cli import planning

    planned = planning.make(
        planning.Request(
            suite=suite,
            tier=tier,
            architectures=tuple(architecture or ()),
            losses=tuple(loss or ()),
            regularizers=tuple(regularizer or ()),
            augmentations=tuple(augmentation or ()),
            presets=tuple(preset or ()),
            modes=tuple(dict.fromkeys(mode or ())),
            seeds=seeds,
            settings=tuple(settings or ()),
            extractors=tuple(extractor or ()),
            metrics=tuple(metric or ()),
            dataset=dataset,
            device=device,
            jobs=jobs,
            plugins=tuple(plugin or ()),
            plugins_dirs=tuple(plugins_dir or ()),
        )
    )
    from ganbench.cli import running  # not before: it takes its time, and a misspelt name should not

    json = format is Output.json
    code = running.show(planned, out, resume.value, json) if dry_run else running.run(planned, out, resume.value, json)
    raise typer.Exit(code)
