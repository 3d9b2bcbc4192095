"""The commands that make published runs again, from what their records say was asked for."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ganbench.publish.text import plain, without_place
from ganbench.rank import Record

OPTIONS = (
    "suite", "tier", "architecture", "loss", "regularizer", "augmentation", "preset", "mode", "seeds", "set",
    "extractor", "metric", "dataset", "plugin", "plugins-dir", "space", "to",
)  # fmt: skip
"""Of `ganbench run` (with a search space, of `ganbench tune`), in the order of a command. A record names nothing else:
it is not trusted with a command."""
PUBLISH = "ganbench publish runs --to results"
UNNAMED = "reference"
"""The mode that need not be asked for."""


def commands(records: Iterable[Record]) -> list[str]:
    """One command for each way in which these runs, all of one suite, were asked for."""
    found = [r for r in records if r["kind"] == "trained"] or list(records)
    asked = [r["asked"] for r in found if r.get("asked")]
    if silent := [r for r in found if not r.get("asked")]:
        asked.append(_derived(silent))
    return sorted({shlex.join(["ganbench", _verb(options), *_words(options)]) for options in asked})


def _verb(options: Mapping[str, Any]) -> str:
    return "tune" if options.get("space") else "run"


def _derived(records: list[Record]) -> dict[str, Any]:
    """What must have been asked for, of runs whose records do not say it: tier, seeds and modes."""
    suite = records[0]["suite"]
    modes = sorted({r["entry"].get("mode") or UNNAMED for r in records if r["kind"] == "trained"})
    seeds = sorted({r["seed"] for r in records if r["kind"] == "trained"})
    return {
        "suite": suite["name"],
        "tier": suite["tier"],
        "mode": modes if modes != [UNNAMED] else [],
        "seeds": ",".join(map(str, seeds)),
    }


def _words(options: Mapping[str, Any]) -> Iterator[str]:
    for name in OPTIONS:
        given = options.get(name) or []
        for value in given if isinstance(given, list) else [given]:
            if isinstance(value, str) and (word := without_place(plain(value).replace("`", ""))):
                yield f"--{name}"
                yield word
