"""`ganbench check`: does a plugin keep its contract?"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from ganbench.cli import completion
from ganbench.cli.options import Format, Output, Plugins, PluginsDirs
from ganbench.cli.terminal import as_json, count
from ganbench.errors import one_line

if TYPE_CHECKING:
    from ganbench.conformance import Outcome


def check(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME|FILE…",
            help="NAME, KIND/NAME, PROVIDER:NAME, or a plugin file: all of it.",
            autocompletion=completion.anything,
        ),
    ],
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    format: Format = Output.text,
) -> None:
    """Hold plugins to their contract: shapes, gradients, seeds, state, learning. Each failed check says what to change.

    Exit code 0 where all is well (warnings included), 1 where a check failed.
    """
    from ganbench import conformance
    from ganbench.cli import loading
    from ganbench.conformance.kit import is_file

    files = [name for name in targets if is_file(name)]
    asked = list(dict.fromkeys([*(plugin or ()), *files]))
    if (descriptions := loading.known(asked, plugins_dir)) is not None:
        conformance.targets(descriptions, [name for name in targets if name not in files])
    registry = loading.load(asked, plugins_dir)
    found = conformance.targets(registry, targets)
    outcomes: list[Outcome] = []
    for registered in found:
        if format is Output.text:
            typer.echo(f"{registered.kind} {registered.name}")
        for case in conformance.cases([registered], registry):
            outcomes.append(case.run())
            if format is Output.text:
                typer.echo("  " + line(outcomes[-1]))
    if format is Output.json:
        typer.echo(as_json([dataclasses.asdict(o) for o in outcomes]))
    else:
        tally = Counter(o.status for o in outcomes)
        typer.echo(f"{count(len(outcomes), 'check')}: " + ", ".join(f"{n} {status}" for status, n in tally.items()))
    raise typer.Exit(int(any(o.failed for o in outcomes)))


def line(outcome: Outcome) -> str:
    """`ok       output-shape`, or with what is wrong and how to mend it."""
    advice = one_line("; to mend: ".join(filter(None, (outcome.what, outcome.mend))))
    return f"{outcome.status:<8} {outcome.check}" + (f": {advice}" if advice else "")
