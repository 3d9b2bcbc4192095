"""Runs beside each other: no seed of an entry twice, no copy under another seed, every column measured alike."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ganbench.plan.spec import FOREIGN, TRAINED
from ganbench.verify.runs import Finding, Run

ENOUGH = 3
"""Equal scores from which on two trainings are taken for one: single scores can be equal by chance (a recall of 0)."""


def cells(runs: Sequence[Run]) -> Iterator[Finding]:
    """What is wrong between the runs of one folder of a suite."""
    known = [run for run in runs if run.record is not None]
    yield from _twice(known)
    yield from _copies([run for run in known if _of(run)["kind"] == TRAINED])
    yield from _columns(known)


def _of(run: Run) -> dict[str, Any]:
    assert run.record is not None
    return run.record


def _twice(runs: Sequence[Run]) -> Iterator[Finding]:
    seen: dict[tuple[str, str, int], Run] = {}
    for run in runs:
        record = _of(run)
        cell = (record["suite"]["id"], record["entry"]["key"], record["seed"])
        if (first := seen.setdefault(cell, run)) is run or not record["entry"].get("seeded", True):
            continue
        other = _of(first)
        who = f"{record['entry']['label']}, seed {record['seed']}: "
        if record["run_id"] == other["run_id"]:
            elsewhere = _machine(record) != _machine(other)
            what = "a reproduction on another machine of" if elsewhere else "the same run as"
            yield Finding(run.folder, f"{who}{what} {first.folder.name}", not elsewhere)
        else:
            edited = _edited(run, first)
            what = "made with other code than" if edited else "a second run of this seed beside"
            yield Finding(run.folder, f"{who}{what} {first.folder.name}", not edited)


def _copies(runs: Sequence[Run]) -> Iterator[Finding]:
    """Trainings of different ids that left the same weights, or the same scores throughout."""
    weights: dict[tuple[Any, ...], Run] = {}
    values: dict[tuple[Any, ...], Run] = {}
    for run in runs:
        record = _of(run)
        own = record.get("weights")
        left = tuple(sorted(own.items())) if isinstance(own, dict) else ()
        found = [(s["variant"], s["column"], s["value"]) for s in record.get("scores") or [] if s["value"] is not None]
        scores = tuple(sorted(found))
        for seen, key, what in (
            (weights, left, "weights"),
            (values, scores if len(scores) >= ENOUGH else (), "scores"),
        ):
            first = seen.setdefault(key, run) if key else run
            if first is not run and _of(first)["run_id"] != record["run_id"]:
                yield Finding(run.folder, f"has the very {what} of {first.folder.name}: one of them is a copy")
                break
        if record["status"] == "completed" and not left:
            yield Finding(run.folder / "result.json", "does not say which weights the training left")


def _columns(runs: Sequence[Run]) -> Iterator[Finding]:
    """Scores that cannot stand in their column, for most others are measured otherwise."""
    prints: dict[tuple[str, str], list[tuple[Run, dict[str, Any]]]] = defaultdict(list)
    for run in runs:
        if _of(run)["kind"] != FOREIGN:
            for score in _of(run).get("scores") or []:
                if score["fingerprint"] and "added" not in score:
                    prints[_of(run)["suite"]["id"], score["column"]].append((run, score))
    for (_, column), found in prints.items():
        counts = Counter(score["fingerprint"] for _, score in found)
        usual = min(counts, key=lambda key: (-counts[key], key))
        for run, score in found:
            if score["fingerprint"] != usual:
                what = f"{column} of {score['variant']}: fingerprint {score['fingerprint']}, the column has {usual}"
                yield Finding(run.folder / "result.json", f"{what}: measured otherwise")


def _machine(record: dict[str, Any]) -> Any:
    return (record.get("environment") or {}).get("machine")


def _edited(run: Run, other: Run) -> bool:
    """Whether other code took part in the training: what a run was measured with makes no other run of it.

    Records alone do not say which is which: then a plugin that both have must differ.
    """
    if run.spec and other.spec:
        return _code(run.spec.plugins) != _code(other.spec.plugins)
    one, two = (_code(_of(known).get("plugins") or []) for known in (run, other))
    shared = {module for module, _ in one} & {module for module, _ in two}
    return any(module in shared for module, _ in one ^ two)


def _code(plugins: Iterable[Any]) -> set[tuple[str, str]]:
    return {(str(p.get("module")), str(p.get("sha256"))) for p in plugins if isinstance(p, dict)}
