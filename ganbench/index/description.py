"""What a plugin's record declares, as plain values, and a registry of such descriptions as JSON and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.plugins import Broken, Provenance, Registered, Registry


@dataclass(frozen=True)
class Description:
    """Stands for a record where nothing may be imported.

    summary: one line. about: the plugin module's own words. fields: the record's fields by name, functions left out;
    of a suite, what its file says. file: a suite's, and sha256 what was in it. broken: why the fields are not there.
    """

    name: str
    paper: str | None
    summary: str
    about: str
    fields: Mapping[str, Any]
    file: Path | None = None
    sha256: str | None = None
    broken: str | None = None


def to_json(registry: Registry) -> dict[str, Any]:
    """A registry of descriptions as plain values."""
    return {
        "entries": [
            {
                "kind": e.kind,
                "name": e.name,
                "record": {**dataclasses.asdict(e.record), "file": e.record.file and str(e.record.file)},
                "provenance": dataclasses.asdict(e.provenance),
            }
            for e in registry.entries
        ],
        "broken": [dataclasses.asdict(b) for b in registry.broken],
    }


def from_json(values: Mapping[str, Any]) -> Registry:
    """The registry again; `ValueError` where the values are not those of one."""
    try:
        entries = [_entry(**value) for value in values["entries"]]
        return Registry(entries, [Broken(**value) for value in values["broken"]])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no registry: {error}") from None


def _entry(kind: str, name: str, record: Mapping[str, Any], provenance: Mapping[str, Any]) -> Registered:
    file = record["file"]
    described = Description(**{**record, "file": None if file is None else Path(file)})
    return Registered(kind, name, described, Provenance(**provenance))
