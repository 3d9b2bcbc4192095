"""One run folder: its files are there and readable, the record follows from the specification."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError, short
from ganbench.plan.spec import FOREIGN, RunSpec, identified
from ganbench.rank import Record, read_record
from ganbench.record.head import head
from ganbench.record.schema import MISSING, NULL, Types, get

_MEASUREMENT: dict[str, Types] = {
    "metric": (str,),
    "params": (dict, NULL),
    "reference": (dict, NULL),
    "extractor": (dict, NULL),
    "extractor.layers": (dict, NULL),
    "samples": (int,),
}


@dataclass(frozen=True)
class Finding:
    """where: a file or a folder. what: one line. problem: something is wrong; else it is a note."""

    where: Path
    what: str
    problem: bool = True


@dataclass(frozen=True)
class Run:
    """A run folder and what could be read of it."""

    folder: Path
    spec: RunSpec | None
    record: Record | None


def read(folder: Path, published: bool) -> tuple[Run, list[Finding]]:
    """The folder's specification and record, and what is wrong with either. published: a run in it is finished."""
    found: list[Finding] = []
    spec, record = None, None
    if not (folder / "spec.json").is_file():
        found.append(Finding(folder / "spec.json", "is missing"))
    else:
        try:
            spec = RunSpec.read(folder)
        except UsageError as error:
            found.append(_from(error, folder / "spec.json"))
    try:
        record = read_record(folder)
    except UsageError as error:
        found.append(_from(error, folder / "result.json"))
    else:
        if record is None:
            what = "is missing" if published else "is not there yet: the run is not finished"
            found.append(Finding(folder / "result.json", what, published))
        elif published and not (folder / "result.json").is_file():
            found.append(Finding(folder / "error.json", f"is an attempt that was lost ({record['status']})", False))
    if spec and record:
        found += [Finding(folder / "result.json", what) for what in _disagreements(spec, record)]
        found += [Finding(folder / "result.json", what) for what in _scores(spec, record)]
    return Run(folder, spec, record), found


def _disagreements(spec: RunSpec, record: Record) -> Iterator[str]:
    """What the record says of the run, and the specification says otherwise."""
    known = json.loads(json.dumps(head(spec.json(), spec.entry_key)))
    for key in ("run_id", "kind", "seed", "suite", "entry", "data", "api_version"):
        if (path := _difference(known[key], record.get(key))) is not None:
            yield f"does not follow from spec.json: {key}{path}"
    modules = {(p.get("module"), p.get("sha256")) for p in record.get("plugins") or [] if isinstance(p, dict)}
    for plugin in known["plugins"]:
        if (plugin["module"], plugin["sha256"]) not in modules:
            yield f"does not follow from spec.json: plugin {plugin['module']} is not among its plugins with that hash"


def _difference(planned: Any, said: Any) -> str | None:
    """Where two JSON values differ first, and how; None where they do not."""
    if isinstance(planned, dict) and isinstance(said, dict):
        for key in [*planned, *(key for key in said if key not in planned)]:
            if key not in said or key not in planned:
                return f".{key} is only in {'spec' if key in planned else 'result'}.json"
            if (path := _difference(planned[key], said[key])) is not None:
                return f".{key}{path}"
        return None
    return None if planned == said else f" is {_short(said)}, planned was {_short(planned)}"


def _scores(spec: RunSpec, record: Record) -> Iterator[str]:
    """Scores that are missing, or that were not measured as they say or as was planned."""
    if record["status"] != "completed":
        return
    scores = record.get("scores") or []
    for variant in dict.fromkeys(score["variant"] for score in scores) or [""]:
        mine = {score["column"] for score in scores if score["variant"] == variant}
        for column in spec.suite["columns"]:
            if column not in mine:
                yield f"has no score {column}" + (f" of {variant}" if variant else "")
    for score in scores:
        where = f"{score['column']} of {score['variant']}"
        if score["value"] is None and not score.get("skipped"):
            yield f"{where}: neither a value nor a reason"
        measurement = score.get("measurement")
        if not isinstance(measurement, dict):
            if score["value"] is not None:
                yield f"{where}: does not say how it was measured"
            continue
        if (wrong := _misshapen(measurement)) is not None:
            yield f"{where}: its measurement is not one: {wrong}"
            continue
        try:
            expected = identified(measurement, spec)
        except (TypeError, ValueError, KeyError, AttributeError, UsageError) as error:
            yield f"{where}: its measurement is not one ({type(error).__name__}: {error})"
            continue
        for key in ("fingerprint", "comparability", "n"):
            if score.get(key) != expected[key]:
                yield f"{where}: {key} {_short(score.get(key))} does not follow from its measurement ({expected[key]})"
        if "added" not in score and (reason := _unplanned(spec, score, measurement)):
            yield f"{where}: was not measured as planned: {reason}"


def _misshapen(measurement: Mapping[str, Any]) -> str | None:
    """What of a measurement is not of the type that it must have."""
    for key, types in _MEASUREMENT.items():
        found = get(measurement, key)
        found = None if found is MISSING else found
        if not isinstance(found, types) or isinstance(found, bool):
            return f"`{key}` is {short(found)}"
    return None


def _unplanned(spec: RunSpec, score: Mapping[str, Any], measurement: Mapping[str, Any]) -> str | None:
    """What a measurement says and `spec.score` does not; None where they agree."""
    params = {m["name"]: m["params"] for m in spec.score["metrics"]}
    planned = params.get(measurement.get("metric"))
    if planned is None:
        return f"metric {_short(measurement.get('metric'))}"
    own = measurement.get("params") or {}
    for key, value in own.items():
        if key in planned and planned[key] != value:
            return f"{key} = {_short(value)}, planned was {_short(planned[key])}"
    reference = measurement.get("reference") or {}
    if (reference.get("dataset"), reference.get("split")) != (spec.score["dataset"], score.get("split")):
        return f"reference {reference.get('dataset')} ({reference.get('split')})"
    extractor = measurement.get("extractor")
    if extractor is not None and not any(_is(extractor, plan) for plan in spec.score["extractors"]):
        return f"extractor {_short(extractor.get('name'))} with these weights, layers or preprocessing"
    if not 0 < measurement["samples"] <= spec.score["samples"]:
        return f"{measurement['samples']} samples, planned were {spec.score['samples']}"
    if score["column"] not in spec.suite["columns"] and spec.kind != FOREIGN:
        return "no such column"
    return None


def _is(extractor: Mapping[str, Any], plan: Mapping[str, Any]) -> bool:
    same = all(extractor.get(key) == plan.get(key) for key in ("name", "weights", "preprocessing"))
    return same and all(plan.get(role) == layer for role, layer in (extractor.get("layers") or {}).items())


def _from(error: UsageError, file: Path) -> Finding:
    """A reader's message as a finding of the file that it names."""
    where = next((f for f in (file, file.with_name("error.json")) if str(error).startswith(f"{f}: ")), None)
    return Finding(where or file, str(error).removeprefix(f"{where}: "))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"
