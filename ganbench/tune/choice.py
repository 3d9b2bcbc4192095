"""What the trials of an entry gave, and which of them is taken."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganbench.tune.trials import Trial


@dataclass(frozen=True)
class Chosen:
    """One entry. values: of each trial the headline's median over its seeds; None: failed, as its median seed did.
    taken: the best trial's place, the earlier one of equals; its own recipe's where every trial failed."""

    trials: tuple[Trial, ...]
    values: tuple[float | None, ...]
    taken: int

    @property
    def trial(self) -> Trial:
        """The one that is taken."""
        return self.trials[self.taken]


def choose(trials: Sequence[Trial], records: Mapping[str, Mapping[str, Any]], headline: str) -> Chosen:
    """The best trial by the headline on val. records: run id -> the record of every run of these trials."""
    scores = [[_score(records[run.run_id], headline) for run in trial.runs] for trial in trials]
    sign = -1 if any(s["direction"] == "higher" for s in _there(scores)) else 1
    costs = [statistics.median(math.inf if s is None else sign * s["value"] for s in each) for each in scores]
    values = tuple(sign * cost if math.isfinite(cost) else None for cost in costs)
    return Chosen(tuple(trials), values, costs.index(min(costs)))


def _score(record: Mapping[str, Any], headline: str) -> Mapping[str, Any] | None:
    """The headline of a run's headline variant; None where the run diverged or generated what has none."""
    for score in record.get("scores") or []:
        if score["column"] == headline and score["headline_variant"] and score["value"] is not None:
            return score if record["status"] == "completed" else None
    return None


def _there(scores: Iterable[Iterable[Mapping[str, Any] | None]]) -> Iterable[Mapping[str, Any]]:
    return (score for each in scores for score in each if score is not None)
