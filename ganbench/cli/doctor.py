"""`ganbench doctor`: what works here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import Format, Output, Plugins, PluginsDirs
from ganbench.cli.terminal import as_json, columns
from ganbench.errors import one_line


def doctor(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where runs would go.")] = Path("runs"),
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    format: Format = Output.text,
) -> None:
    """Check Python, libraries, devices, folders, data and plugins; say how to mend what does not work.

    Exit code 1 if a check failed; a warning is something that not every run needs. Of what is not on this disk, only
    the first byte is asked for, and nothing is kept.
    """
    from ganbench import doctor
    from ganbench.plugins import load

    found = doctor.examine(doctor.checks(load(plugin or (), plugins_dir or ()), out))
    failed = sum(finding.status == "failed" for _, finding in found)
    if format is Output.json:
        lines = [{"check": name, "status": f.status, "what": f.what, "mend": f.mend} for name, f in found]
        typer.echo(as_json(lines))
    else:
        shown = {"ok": "ok", "warning": "warning", "failed": "FAILED"}
        typer.echo(columns([(shown[f.status], name, f.what + (f" → {f.mend}" if f.mend else "")) for name, f in found]))
        warnings = sum(finding.status == "warning" for _, finding in found)
        typer.echo(one_line(f"{len(found)} checks: {failed} failed, {warnings} with a warning"))
    raise typer.Exit(int(failed > 0))
