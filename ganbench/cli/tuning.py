"""From the words of `ganbench tune` to trials, and from these to a suite file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from ganbench.cli import planning, running
from ganbench.cli.terminal import as_json, columns, count
from ganbench.errors import UsageError, one_line
from ganbench.execute import folders
from ganbench.plan.spec import VAL
from ganbench.plan.tuning import Space, read_space
from ganbench.rank.records import FINISHED, read_record
from ganbench.tune.choice import Chosen, choose
from ganbench.tune.suite_file import write_tuned
from ganbench.tune.trials import Trials, plan_trials


@dataclass(frozen=True)
class Search:
    """Trials that this machine can carry out, and where what they find goes."""

    ready: planning.Prepared
    space: Space
    trials: Trials
    planned: planning.Planned
    source: Path
    to: Path


def prepare(request: planning.Request, space: Path, to: Path) -> Search:
    """What is wrong with the words is said before anything runs."""
    if to.suffix != ".toml":
        raise UsageError(f"--to {to}: the name of a suite file ends with .toml")
    if to.exists():
        raise UsageError(f"--to {to}: is there already; name another file, or remove it")
    found = read_space(space)
    ready = planning.prepare(request)
    trials = plan_trials(
        ready.suite,
        ready.tier,
        found,
        ready.registry,
        ready.data,
        device=ready.devices.kind,
        wishes=ready.wishes,
        asked={**request.asked(), "space": space.name, "to": to.name},
    )
    source, _ = planning.suite_source(ready.registry, request.suite)
    return Search(ready, found, trials, planning.hold(request, ready, trials.plan), source, to)


def show(search: Search, out: Path, json: bool) -> int:
    """Print the trials' plan and write nothing."""
    return running.show(search.planned, out, "missing", json)


def run(search: Search, out: Path, json: bool) -> int:
    """Finish the trials, choose, write the tuned suite; the program's exit code."""
    return running.run(search.planned, out, "missing", json, lambda runs: _conclude(search, runs, json))


def _conclude(search: Search, runs: Sequence[folders.Planned], json: bool) -> None:
    """Nothing is chosen before every trial has had its chance."""
    found = {run.spec.run_id: read_record(run.folder) for run in runs}
    records = {run_id: record for run_id, record in found.items() if record and record["status"] in FINISHED}
    if missing := len(found) - len(records):
        typer.echo(f"ganbench: nothing is chosen yet: {count(missing, 'run')} of {len(found)} missing", err=True)
        return
    headline = search.ready.suite.headline
    choices = [choose(trials, records, headline) for trials in search.trials.entries]
    write_tuned(search.to, search.source, search.ready.suite, search.ready.tier, search.space, choices)
    if json:
        told = {"suite": str(search.to), "headline": headline, "split": VAL, "entries": list(map(_entry, choices))}
        typer.echo(as_json(told))
        return
    typer.echo(columns([("ENTRY", "TRIALS", f"OWN {headline}", "BEST", "RECIPE"), *_rows(choices)]))
    typer.echo(one_line(f"On {VAL}, to choose by. What counts comes now: ganbench run --suite {search.to}"))


def _rows(choices: Sequence[Chosen]) -> Iterator[tuple[object, ...]]:
    for choice in choices:
        own, best = (_shown(choice.values[at]) for at in (0, choice.taken))
        drawn = ", ".join(f"{key}={value}" for key, value in choice.trial.settings.items()) or "its own"
        skipped = choice.trials[0].runs[0].skip
        label = choice.trials[0].runs[0].entry["label"]
        yield (label, "", "", "", f"skipped: {skipped}") if skipped else (label, len(choice.trials), own, best, drawn)


def _shown(value: float | None) -> str:
    return "failed" if value is None else f"{value:.4g}"


def _entry(choice: Chosen) -> dict[str, Any]:
    run = choice.trials[0].runs[0]
    return {
        "label": run.entry["label"],
        "skip": run.skip,
        "taken": choice.taken,
        "trials": [
            {"settings": dict(trial.settings), "value": value, "runs": [run.run_id for run in trial.runs]}
            for trial, value in zip(choice.trials, choice.values, strict=True)
        ],
    }
