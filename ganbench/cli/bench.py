"""`ganbench bench`: how fast does it train here?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from ganbench.cli import completion
from ganbench.cli.options import Format, Output, Plugins, PluginsDirs, named
from ganbench.cli.terminal import as_json, columns
from ganbench.errors import one_line


def bench(
    architecture: Annotated[str | None, named("architecture", "With --loss.")] = None,
    loss: Annotated[str | None, named("loss", "With --architecture.")] = None,
    regularizer: Annotated[list[str] | None, named("regularizer", "Added to it. Repeatable.")] = None,
    augmentation: Annotated[list[str] | None, named("augmentation", "Added to it. Repeatable.")] = None,
    preset: Annotated[str | None, named("preset", "Instead of architecture and loss.")] = None,
    mode: Annotated[
        str,
        typer.Option("--mode", metavar="NAME", help="How steps are computed.", autocompletion=completion.modes),
    ] = "reference",
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="The recipe's if not given.")] = None,
    shape: Annotated[
        str, typer.Option("--shape", metavar="SHAPE", help="Of a sample: 1x28x28 (an image), 2 (a point), 1x16000.")
    ] = "1x32x32",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A recipe key. Repeatable.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, max=300.0, help="Training that is timed.")] = 8.0,
    device: Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:N.")] = "auto",
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    format: Format = Output.text,
) -> None:
    """Measure how fast an entry trains in a mode, on made-up data and one CPU thread (or one GPU).

    Nothing else should run on the machine meanwhile.
    """
    from ganbench.cli import benching

    added = tuple(regularizer or ()), tuple(augmentation or ())
    asked = benching.Request(architecture, loss, *added, preset, mode, batch_size, shape, tuple(settings or ()), device)
    found = benching.measure(asked, seconds, plugin, plugins_dir)
    typer.echo(as_json(found) if format is Output.json else _text(found))


def _text(found: dict[str, Any]) -> str:
    at = found["environment"]
    where = (at["gpu"] or {}).get("name") or f"{at['cpu']['model']}, 1 thread"
    shape = "×".join(map(str, found["shape"]))
    opening = f"{found['label']} on {shape}, batch of {found['batch_size']}; {where}, torch {at['versions']['torch']}"
    return "\n".join([one_line(opening), columns(_rows(found))])


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for player in ("D", "G"):
        middle, low, high = (f"{v:.0f}" for v in found[f"images_per_second_{player}"])
        yield f"images/s by {player}", middle, f"quartiles {low} to {high} of {found['windows']} windows"
    yield "samples/s", f"{found['samples_per_second']:.0f}", "generated, in float32"
    yield "peak memory", f"{found['peak_memory_bytes'] / 2**20:.0f} MiB", "of the whole process, or of the GPU"
    for name, count in found["parameters"].items():
        yield f"parameters of {name}", f"{count:,}", ""
    yield "a cycle's FLOPs", f"{found['flops_per_cycle'] / 1e9:.3g} G", "matrix products and convolutions"
    peak = f"of the {found['peak_flops_per_second'] / 1e9:.0f} GFLOP/s of a matrix product here and now"
    yield "share of peak", f"{100 * found['share_of_peak']:.0f} %", peak
    for name, value in found["profile"].items():
        yield f"time of {name}", f"{1e3 * value:.3g} ms", "of a cycle; a separate eager run in the reference mode"
    for name in found["switches"]["on"]:
        yield name, "on", ""
    for name, reason in found["switches"]["off"].items():
        yield name, "off", reason
