"""`ganbench evaluate`: scores for samples that are there already, another program's or a finished run's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import Extractors, Format, Metrics, Output, Plugins, PluginsDirs, Tier, named


def evaluate(
    samples: Annotated[
        Path | None,
        typer.Option(
            "--samples", metavar="DIR|FILE", help="A folder of PNG or JPEG files, an .npz, .npy, .safetensors."
        ),
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="RUN", help="Instead: a run's folder, to be scored once more.")
    ] = None,
    dataset: Annotated[str | None, named("dataset", "The data set that the samples are compared with.")] = None,
    suite: Annotated[
        str | None, named("suite", "Whose protocol; the data set's own suite if not given.", "NAME|FILE")
    ] = None,
    tier: Tier = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FILE", help="The samples' classes, in their order: .npy or .npz."),
    ] = None,
    layout: Annotated[
        str | None, typer.Option("--layout", help="NCHW, NHWC or NHW, where an array's shape does not tell.")
    ] = None,
    range: Annotated[
        str | None,
        typer.Option("--range", metavar="LOW,HIGH", help="What black and white are, where the values do not tell."),
    ] = None,
    extractor: Extractors = None,
    metric: Metrics = None,
    name: Annotated[str | None, typer.Option("--name", help="The row's name; the file's if not given.")] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The training seed; rows of one name and several seeds are one.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the suite's folder goes.")] = Path("runs"),
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda:N.")] = "auto",
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    format: Format = Output.text,
) -> None:
    """Score samples that any program made, under a suite's protocol: a row of its own, without ranks.

    With --run, a finished run gets further scores from its stored samples; those it has stay as they are.
    """
    from ganbench.cli import planning

    names = {"dataset": filter(None, [dataset]), "extractor": extractor or (), "metric": metric or ()}
    planning.check_names(plugin, plugins_dir, names, suite, tier)
    from ganbench.cli import evaluating  # not before: it takes its time, and a misspelt name should not

    asked = evaluating.Request(
        samples=samples,
        run=run,
        dataset=dataset,
        suite=suite,
        tier=tier,
        labels=labels,
        layout=layout,
        range=range,
        extractors=tuple(extractor or ()),
        metrics=tuple(metric or ()),
        name=name,
        seed=seed,
        out=out,
        device=device,
        plugins=tuple(plugin or ()),
        plugins_dirs=tuple(plugins_dir or ()),
        json=format is Output.json,
    )
    raise typer.Exit(evaluating.evaluate(asked))
