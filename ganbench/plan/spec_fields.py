"""What the fields of a `spec.json` must be, before a `RunSpec` is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.errors import short
from ganbench.record.schema import (
    NULL,
    NUMBER,
    SUITE,
    Types,
    broken,
    is_file_name,
    one_of,
    require,
    require_each,
    require_fields,
)

MOST_THREADS = 4096
MOST_SAMPLES = 2**31
"""That are scored, and most looks."""

_FIELDS: dict[str, Types] = {
    "kind": (str,),
    "suite": (dict,),
    **SUITE,
    "suite.budget": (dict, NULL),
    "entry": (dict,),
    "entry.label": (str,),
    "entry.architecture": (str, NULL),
    "entry.loss": (str, NULL),
    "entry.preset": (str, NULL),
    "entry.game": (str, NULL),
    "entry.scale": (str, NULL),
    "entry.role": (str, NULL),
    "components": (list,),
    "recipe": (dict,),
    "seed": (int,),
    "suite_seed": (int,),
    "data": (dict,),
    "conditional": (bool,),
    "budget": (dict,),
    "mode": (str,),
    "device": (str,),
    "threads": (int,),
    "plugins": (list,),
    "score": (dict,),
    "score.samples": (int,),
    "score.looks": (dict,),
    "score.looks.count": (int,),
    "score.looks.samples": (int,),
    "score.extractors": (list,),
    "score.metrics": (list,),
    "score.dataset": (str,),
    "score.split": (str, NULL),
    "score.plugins": (list,),
    "skip": (str, NULL),
    "api_version": (int,),
    "asked": (dict,),
}
_DATA: dict[str, Types] = {"name": (str,), "split": (str,), "sha256": (str,)}
_PLUGIN: dict[str, Types] = {"module": (str,), "sha256": (str,)}
_EXTRACTOR: dict[str, Types] = {"name": (str,), "features": (str,), "logits": (str, NULL), "weights": (str,)}
_METRIC: dict[str, Types] = {"name": (str,), "params": (dict,)}


def check_spec(file: Path, value: Mapping[str, Any], counters: tuple[str, ...]) -> None:
    """A `UsageError` that names the field, where one is not what a run is planned with. counters: of budgets."""
    require_fields(file, value, _FIELDS)
    if not is_file_name(value["suite"]["id"]):  # a repetition goes to a folder of this name
        raise broken(file, "suite.id", f"{short(value['suite']['id'])}, which is no name for a folder")
    require_each(file, "components", value["components"], (str,))
    require_each(file, "suite.columns", value["suite"]["columns"], (str,))
    for key, setting in value["recipe"].items():
        require(file, f"recipe.{key}", setting, (dict,))
        require_fields(file, setting, {"value": (bool, *NUMBER, str, list)}, f"recipe.{key}")
    for stream, data in value["data"].items():
        require(file, f"data.{stream}", data, (dict,))
        require_fields(file, data, _DATA, f"data.{stream}")
    score = value["score"]
    for name, items, fields in (
        ("plugins", value["plugins"], _PLUGIN),
        ("score.plugins", score["plugins"], _PLUGIN),
        ("score.extractors", score["extractors"], _EXTRACTOR),
        ("score.metrics", score["metrics"], _METRIC),
    ):
        require_each(file, name, items, (dict,))
        for at, item in enumerate(items):
            require_fields(file, item, fields, f"{name}[{at}]")
    if value["budget"]:
        require_fields(file, value["budget"], {"counter": (str,), "amount": NUMBER}, "budget")
        one_of(file, "budget.counter", value["budget"]["counter"], counters)
        if value["budget"]["amount"] <= 0:
            raise broken(file, "budget.amount", "not above 0")
    for key, number, least, most in (
        ("threads", value["threads"], 1, MOST_THREADS),
        ("score.samples", score["samples"], 1, MOST_SAMPLES),
        ("score.looks.count", score["looks"]["count"], 0, MOST_SAMPLES),
        ("score.looks.samples", score["looks"]["samples"], 0, MOST_SAMPLES),
    ):
        if not least <= number <= most:
            raise broken(file, key, f"out of bounds ({least} to {most})")
