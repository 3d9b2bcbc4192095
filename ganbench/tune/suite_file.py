"""A suite file with what a search found: the suite's own, with one tier, whose entries have the recipes of their best
trials, and with how these were found."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w

from ganbench.plan.entries import SET, SUITE_ENTRY
from ganbench.plan.own import relocated
from ganbench.plan.spec import VAL, RunSpec
from ganbench.plan.suite import TUNED, Suite, Tier
from ganbench.plan.tuning import Space
from ganbench.record.files import write_atomic
from ganbench.tune.choice import Chosen

FAILED = "failed"


def write_tuned(file: Path, source: Path, suite: Suite, tier: Tier, space: Space, choices: Sequence[Chosen]) -> None:
    """Write the tuned suite. source: the suite's own file."""
    raw = tomllib.loads(source.read_text(encoding="utf-8"))
    own = raw["tiers"][tier.name]
    run = choices[0].trial.runs[0]
    tuning = {
        "trials": space.trials,
        "seeds": list(space.seeds),
        "headline": suite.headline,
        "split": VAL,
        "data": next(iter(run.data.values()))["name"],
        "space": dict(space.written),
        "entries": [_found(choice) for choice in choices],
    }
    entries = [_entry(choice.trial.runs[0]) for choice in choices]
    raw |= {
        "title": f"{suite.title}, tuned",
        "dataset": relocated(raw["dataset"], suite.sources, file.parent.absolute()),
        "tiers": {tier.name: {**own, "table": TUNED, "mode": run.mode, "tuning": tuning, "entries": entries}},
    }
    raw.pop("default_tier", None)
    data = f"# Written by `ganbench tune`; how is in 'tuning'.\n{tomli_w.dumps(raw)}".encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, lambda stream: stream.write(data))


def _found(choice: Chosen) -> dict[str, Any]:
    values = [FAILED if value is None else float(f"{value:.6g}") for value in choice.values]
    return {"label": choice.trials[0].runs[0].entry["label"], "values": values, "taken": choice.taken}


def _entry(run: RunSpec) -> dict[str, Any]:
    """An entry as a suite writes it, with what the suite's entry and the trial said of its recipe."""
    whole = {key: run.entry[key] for key in ("preset", "game") if run.entry[key]}
    parts = {} if whole else {key: run.entry[key] for key in ("architecture", "loss")}
    added = {key: run.entry[key] for key in ("regularizers", "augmentations") if run.entry[key]}
    said = {k: _plain(v["value"]) for k, v in run.recipe.items() if v["origin"] in (SUITE_ENTRY, SET)}
    return {**whole, **parts, **added, **({"recipe": said} if said else {})}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
