"""A recorded run to be repeated: is everything that its specification names here, and the same?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ganbench.errors import UsageError
from ganbench.plan.spec import FOREIGN, RunSpec
from ganbench.plugins import Provenance, Registry, absent
from ganbench.record.files import content_hash


def repeatable(spec: RunSpec, registry: Registry) -> tuple[RunSpec, list[str]]:
    """The specification to run, and notes on what differs without changing the training.

    Nothing is loaded because a record names it: `registry` has what is installed, or was asked for by name. Code or
    data of the training that is missing or not the recorded one is a `UsageError` that names it.
    """
    if spec.kind == FOREIGN:
        raise UsageError(
            f"{spec.entry['label']}: samples of another program, which only that program makes again; "
            "`ganbench evaluate` measures them"
        )
    if spec.skip:
        raise UsageError(f"{spec.entry['label']}: was skipped ({spec.skip}): there is nothing to repeat")
    here = {entry.provenance.module: entry.provenance for entry in registry.entries}
    if wrong := [*_changed(spec.plugins, here)] or [*_data(spec, registry)]:
        raise UsageError(f"{spec.entry['label']} cannot be repeated here: {'; '.join(wrong)}")
    scoring = spec.score["plugins"]
    if missing := [_absent(p, here) for p in scoring if p["module"] not in here]:
        raise UsageError(f"{'; '.join(missing)} (needed for the scores)")
    notes = [f"{change}: scores may differ for that" for change in _changed(scoring, here)]
    present = [here[p["module"]].record() for p in scoring]
    return replace(spec, score={**spec.score, "plugins": present}), notes


def _changed(recorded: Any, here: Mapping[str, Provenance]) -> Iterator[str]:
    for plugin in recorded:
        found = here.get(plugin["module"])
        if found is None:
            yield _absent(plugin, here)
        elif found.sha256 != plugin["sha256"]:
            yield f"plugin {plugin['module']} has changed since ({_hashes(plugin, found)})"


def _absent(plugin: Mapping[str, Any], here: Mapping[str, Provenance]) -> str:
    there = [(found.module, found.source, lambda found=found: found.sha256) for found in here.values()]
    return absent(plugin["module"], plugin["sha256"], there)


def _hashes(plugin: Mapping[str, Any], found: Provenance) -> str:
    return f"sha256 {found.sha256[:12]}… here, {plugin['sha256'][:12]}… recorded"


def _data(spec: RunSpec, registry: Registry) -> Iterator[str]:
    for source in spec.data.values():
        try:
            found = content_hash(*registry.get("dataset", source["name"]).load(source["split"]))
        except UsageError as error:
            yield str(error)
            continue
        if found != source["sha256"]:
            hashes = f"sha256 {found[:12]}… here, {source['sha256'][:12]}… recorded"
            yield f"data set {source['name']} has other content ({hashes})"
