"""`ganbench tune`: the same search over recipes for every entry of a suite."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import (
    Architectures,
    Ask,
    Augmentations,
    Dataset,
    Device,
    Format,
    Jobs,
    Losses,
    Modes,
    On,
    Out,
    Output,
    PerJob,
    Plugins,
    PluginsDirs,
    Presets,
    Regularizers,
    Settings,
    Suite,
    Tier,
    Where,
)


def tune(
    suite: Suite,
    space: Annotated[Path, typer.Option("--space", metavar="FILE", help="The search space (.toml).")],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Where the tuned suite goes (.toml).")],
    tier: Tier = None,
    architecture: Architectures = None,
    loss: Losses = None,
    regularizer: Regularizers = None,
    augmentation: Augmentations = None,
    preset: Presets = None,
    mode: Modes = None,
    settings: Settings = None,
    dataset: Dataset = None,
    device: Device = "auto",
    jobs: Jobs = None,
    on: On = Where.local,
    ask: Ask = None,
    per_job: PerJob = None,
    out: Out = Path("runs"),
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the trials and write nothing.")] = False,
    format: Format = Output.text,
) -> None:
    """Search recipes, the same space and number of trials for every entry, and write a suite with the best.

    Trials are measured on val, with seeds of their own; the first of an entry is its own recipe. The same command again
    does what is still missing.
    """
    from ganbench.cli import planning, tuning

    json = format is Output.json
    asked = planning.Request.of(
        suite=suite,
        tier=tier,
        architectures=architecture,
        losses=loss,
        regularizers=regularizer,
        augmentations=augmentation,
        presets=preset,
        modes=list(dict.fromkeys(mode or ())),
        settings=settings,
        dataset=dataset,
        device=device,
        jobs=jobs,
        on=on.value,
        ask=ask,
        per_job=per_job,
        plugins=plugin,
        plugins_dirs=plugins_dir,
    )
    search = tuning.prepare(asked, space, to)
    raise typer.Exit(tuning.show(search, out, json) if dry_run else tuning.run(search, out, json))
