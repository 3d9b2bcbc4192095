"""`ganbench plugins`: what was loaded, from where, and what was not."""

from __future__ import annotations

from typing import Any

import typer

from ganbench.cli.options import Format, Output, Plugins, PluginsDirs
from ganbench.cli.terminal import as_json, columns
from ganbench.errors import one_line


def plugins(
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
    format: Format = Output.text,
) -> None:
    """List plugins: through which door they came, their version and hash, what they register, why one is left out."""
    from ganbench.index import Index

    registry = Index.of(plugin, plugins_dir).load()
    found: dict[str, dict[str, Any]] = {}
    for entry in registry.entries:
        origin = entry.provenance
        about = found.setdefault(
            origin.module, {"source": origin.source, "door": origin.door, **origin.record(), "registers": []}
        )
        about["registers"].append(f"{entry.kind}/{entry.name}")
    broken = [{"source": b.source, "reason": b.reason} for b in registry.broken]
    clashes = registry.clashes()
    if format is Output.json:
        answer = {"plugins": list(found.values()), "broken": broken, "clashes": clashes}
        typer.echo(as_json(answer))
        return
    rows = [("PLUGIN", "DOOR", "FROM", "SHA256", "REGISTERS")]
    for about in found.values():
        release = f"{about['distribution']} {about['version'] or ''}" if about["distribution"] else about["provider"]
        rows.append((about["source"], about["door"], release, about["sha256"][:12], ", ".join(about["registers"])))
    typer.echo(columns(rows))
    for line in [*(f"left out: {b['source']}: {b['reason']}" for b in broken), *clashes]:
        typer.echo(one_line(line))
