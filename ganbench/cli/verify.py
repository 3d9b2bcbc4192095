"""`ganbench verify`: does a folder of results hold together?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import Format, Output, Plugins, PluginsDirs, Weights
from ganbench.cli.terminal import as_json, count
from ganbench.errors import one_line

LIMITS = (
    "This shows that tables follow from records, not that records are honest: `ganbench reproduce RUN` repeats one."
)


def verify(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of results or runs.")],
    rescore: Annotated[
        bool, typer.Option("--rescore", help="Measure stored samples again and compare: takes as long as scoring.")
    ] = False,
    weights: Weights = None,
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    format: Format = Output.text,
) -> None:
    """Check that results hold together: schema, hashes, fingerprints, seeds, and tables that follow from records.

    Exit code 0 where all is well (notes included), 1 where something is wrong.
    """
    from ganbench.verify import verify

    report = verify(directory)
    findings, again = list(report.findings), []
    if rescore:
        from ganbench.cli.evaluating import measured_again
        from ganbench.cli.loading import doors

        again = list(measured_again(report.runs, doors(plugin, plugins_dir, weights)))
        findings = [*again, *findings]
    unmeasured = sum(not finding.problem for finding in again)
    problems = [f for f in findings if f.problem]
    if format is Output.json:
        shown = [{"where": str(f.where), "what": f.what, "problem": f.problem} for f in findings]
        answer: dict[str, object] = {"runs": len(report.runs), "scores": report.scores}
        answer |= {"not_measured_again": unmeasured} if rescore else {}
        answer |= {"findings": shown, "limits": LIMITS}
        typer.echo(as_json(answer))
    else:
        for finding in findings:
            typer.echo(one_line(f"{'wrong' if finding.problem else 'note'}: {finding.where}: {finding.what}"))
        wrong = count(len(problems), "problem") if problems else "nothing wrong"
        beside = f"; {count(unmeasured, 'run')} could not be measured again" if unmeasured else ""
        typer.echo(f"{count(len(report.runs), 'run')}, {count(report.scores, 'score')}: {wrong}{beside}")
        typer.echo(LIMITS)
    raise typer.Exit(int(bool(problems)))
