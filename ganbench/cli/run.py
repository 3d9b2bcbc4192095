"""`ganbench run`: plan a suite, finish its runs, show the leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import (
    Architectures,
    Ask,
    Augmentations,
    Dataset,
    Detach,
    Device,
    Extractors,
    Format,
    Jobs,
    Losses,
    Metrics,
    Modes,
    On,
    Out,
    Output,
    PerJob,
    Plugins,
    PluginsDirs,
    Presets,
    Regularizers,
    Resume,
    Settings,
    Suite,
    Tier,
    Where,
)


def run(
    suite: Suite,
    tier: Tier = None,
    architecture: Architectures = None,
    loss: Losses = None,
    regularizer: Regularizers = None,
    augmentation: Augmentations = None,
    preset: Presets = None,
    mode: Modes = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", metavar="SEEDS", help="5 is seed 5, 0..4 is five seeds, 0,3 is two.")
    ] = None,
    settings: Settings = None,
    extractor: Extractors = None,
    metric: Metrics = None,
    dataset: Dataset = None,
    device: Device = "auto",
    jobs: Jobs = None,
    on: On = Where.local,
    ask: Ask = None,
    per_job: PerJob = None,
    detach: Detach = False,
    out: Out = Path("runs"),
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
        planning.Request.of(
            suite=suite,
            tier=tier,
            architectures=architecture,
            losses=loss,
            regularizers=regularizer,
            augmentations=augmentation,
            presets=preset,
            modes=list(dict.fromkeys(mode or ())),
            seeds=seeds,
            settings=settings,
            extractors=extractor,
            metrics=metric,
            dataset=dataset,
            device=device,
            jobs=jobs,
            on=on.value,
            ask=ask,
            per_job=per_job,
            detach=detach,
            plugins=plugin,
            plugins_dirs=plugins_dir,
        )
    )
    from ganbench.cli import running  # not before: it takes its time, and a misspelt name should not

    json = format is Output.json
    code = running.show(planned, out, resume.value, json) if dry_run else running.run(planned, out, resume.value, json)
    raise typer.Exit(code)
