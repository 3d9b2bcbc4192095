"""Which trial is taken: by the median over seeds, failures being the worst."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ganbench.tune.choice import Chosen, choose
from ganbench.tune.trials import Trial

DIVERGED = "diverged"


def chosen(*values: list[float | str | None], direction: str = "lower") -> Chosen:
    """Of trials that gave these headlines, one a seed."""
    trials, records = [], {}
    for trial, seeds in enumerate(values):
        runs = [SimpleNamespace(run_id=f"{trial}-{seed}") for seed in range(len(seeds))]
        trials.append(Trial({"lr": float(trial)}, tuple(runs)))  # type: ignore[arg-type]
        records |= {run.run_id: record(value, direction) for run, value in zip(runs, seeds, strict=True)}
    return choose(trials, records, "gap")


def record(value: float | str | None, direction: str) -> dict[str, Any]:
    if value == DIVERGED:  # with a score from before, which counts for nothing
        value, status = 0.0, DIVERGED
    else:
        status = "completed"
    score = {"column": "gap", "value": value, "direction": direction, "headline_variant": True}
    others = [{**score, "column": "other", "value": -1.0}, {**score, "headline_variant": False, "value": -1.0}]
    return {"status": status, "scores": [*others, score]}


@pytest.mark.parametrize(
    ("values", "taken", "shown"),
    [
        ([[3.0], [2.0], [4.0]], 1, (3.0, 2.0, 4.0)),
        ([[2.0], [2.0]], 0, (2.0, 2.0)),
        ([[3.0], [None], [DIVERGED]], 0, (3.0, None, None)),
        ([[None], [DIVERGED]], 0, (None, None)),
        ([[5.0, 5.0, 5.0], [1.0, 2.0, 99.0], [0.0, DIVERGED, None]], 1, (5.0, 2.0, None)),
        ([[5.0, 6.0], [1.0, DIVERGED]], 0, (5.5, None)),
    ],
)
def test_the_lowest_median_is_taken(values: list[list[Any]], taken: int, shown: tuple[float | None, ...]) -> None:
    choice = chosen(*values)
    assert (choice.taken, choice.values) == (taken, shown)
    assert choice.trial.settings == {"lr": float(taken)}


def test_the_highest_where_higher_is_better() -> None:
    choice = chosen([3.0], [4.0], [DIVERGED], direction="higher")
    assert (choice.taken, choice.values) == (1, (3.0, 4.0, None))
