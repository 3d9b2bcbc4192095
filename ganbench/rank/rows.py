"""The rows of one table: an entry under one sampling variant, with what each of its training seeds gave."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ganbench.rank.groups import Group
from ganbench.rank.levels import histogram_distance
from ganbench.rank.records import Record


@dataclass(frozen=True)
class Column:
    """A column of scores. title: its short form with the sample count, as in `distance/extractor/10k`."""

    name: str
    direction: str = "lower"
    positive: bool = True
    n: int | None = None
    fingerprint: str = ""

    @property
    def title(self) -> str:
        """The name with the number of samples behind it."""
        if self.n is None:
            return self.name
        return f"{self.name}/{self.n // 1000}k" if self.n >= 1000 and self.n % 1000 == 0 else f"{self.name}/{self.n}"


@dataclass
class Seed:
    """One training seed. status: completed, degenerate, diverged, missing or skipped. scores: column -> value.

    errors: column -> the standard error of scoring so many samples of this one model. parts: column -> what its value
    is made of, by name.
    """

    seed: int
    status: str
    record: Record
    scores: dict[str, float] = field(default_factory=dict)
    sanity: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    errors: dict[str, float] = field(default_factory=dict)
    parts: dict[str, dict[str, float | None]] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether this seed is one of the row's n: it finished, well or not."""
        return self.status in ("completed", "degenerate", "diverged")

    @property
    def failed(self) -> bool:
        """Whether the method failed with this seed."""
        return self.status in ("degenerate", "diverged")


@dataclass
class Row:
    """A row; its seeds are in their order. kind: that of its records. main: whether its variant is the entry's
    headline; another one is a further value of the same runs."""

    label: str
    variant: str
    entry: Mapping[str, Any]
    kind: str
    seeds: list[Seed]
    main: bool = True

    @property
    def weights(self) -> str:
        """The last word of the variant: of which weights it is."""
        return self.variant.rpartition("-")[2]

    @property
    def scale(self) -> bool:
        """Whether it gives the scale."""
        return self.kind == "scale"

    @property
    def trained(self) -> bool:
        """Whether it was trained here, under the suite's budget."""
        return self.kind == "trained"

    @property
    def seeded(self) -> bool:
        """Whether the training seeds are known."""
        return bool(self.entry.get("seeded", True))

    @property
    def n(self) -> int:
        """Seeds that finished, failures of the method among them."""
        return sum(seed.counts for seed in self.seeds)

    @property
    def failures(self) -> int:
        """Seeds with which the method failed."""
        return sum(seed.failed for seed in self.seeds)

    def values(self, column: str, survivors: bool = False) -> list[float]:
        """The finite values of its seeds in a column, without those of failed seeds if only survivors are wanted."""
        counted = [seed for seed in self.seeds if seed.counts and not (survivors and seed.failed)]
        return [seed.scores[column] for seed in counted if math.isfinite(seed.scores.get(column, math.nan))]

    def signed(self, headline: Column) -> list[float]:
        """The headline of each seed that finished, lower is better, +inf where the method failed."""
        sign = -1.0 if headline.direction == "higher" else 1.0
        counted = [seed for seed in self.seeds if seed.counts]
        return [math.inf if seed.failed else sign * seed.scores.get(headline.name, math.inf) for seed in counted]

    @property
    def section(self) -> str:
        """Where the row stands: entries, unranked (most seeds failed, or none is there), foreign, scale or skipped."""
        if not self.trained:
            return self.kind
        if self.n == 0 and any(seed.status == "skipped" for seed in self.seeds):
            return "skipped"
        return "entries" if self.n and 2 * self.failures <= self.n else "unranked"


def columns(group: Group) -> tuple[list[Column], dict[str, int]]:
    """The columns, headline first, and how many values of each were measured otherwise and so stay out.

    A column is what was planned of most runs; what was added to finished ones later is asked only where nothing was.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    own = {score["column"] for record in [*group.trained, *group.scale] for score in group.scores(record)}
    for record in group.records:
        for score in group.scores(record):
            if record["kind"] != "foreign" or score["column"] not in own:  # who was trained here says what a column is
                found.setdefault(score["column"], []).append(score)
    headline = group.suite["headline"]
    order = dict.fromkeys([headline, *group.suite["columns"], *sorted(found)])
    made, strange = [], {}
    for name in order:
        scores = found.get(name, [])
        measured = [score for score in scores if score["value"] is not None]
        prints = Counter(score["fingerprint"] or "" for score in measured)
        planned = Counter(score["fingerprint"] or "" for score in measured if "added" not in score)
        chosen = min(prints, key=lambda key: (-planned[key], -prints[key], key), default="")
        if others := sum(prints.values()) - prints[chosen]:
            strange[name] = others
        alike = [score for score in scores if not measured or (score["fingerprint"] or "") == chosen]
        made.append(_column(name, chosen, alike))
    return made, strange


def _column(name: str, fingerprint: str, scores: list[dict[str, Any]]) -> Column:
    if not scores:
        return Column(name)
    first = scores[0]
    return Column(name, first["direction"], all(score["positive"] for score in scores), first["n"], fingerprint)


def rows(group: Group, cols: Iterable[Column]) -> list[Row]:
    """Every row of the table; degenerate seeds are marked by the row of the scale that has this role."""
    known = {column.name: column for column in cols}
    headline = known[group.suite["headline"]]
    made = _rows(group, group.scale, known)
    bound = roles(made, headline.name).get("degenerate", math.nan)
    for row in _rows(group, group.trained, known) + _rows(group, group.foreign, known):
        for seed in row.seeds:
            value = seed.scores.get(headline.name, math.nan)
            no_better = {"lower": value >= bound, "higher": value <= bound}.get(headline.direction, False)
            if seed.status == "completed" and no_better:
                seed.status = "degenerate"
        made.append(row)
    return made


def roles(made: Iterable[Row], headline: str) -> dict[str, float]:
    """Role -> headline of the row of the scale that plays it (the median where it was made more than once)."""
    values: dict[str, list[float]] = {}
    for row in made:
        if row.scale and row.entry.get("role"):
            values.setdefault(row.entry["role"], []).extend(row.values(headline))
    return {role: statistics.median(found) for role, found in values.items() if found}


def _rows(group: Group, records: list[Record], known: Mapping[str, Column]) -> list[Row]:
    entries: dict[str, list[Record]] = {}
    for record in records:
        entries.setdefault(record["entry"]["key"], []).append(record)
    made = []
    for runs in entries.values():
        headlines: Counter[str] = Counter()
        for record in runs:
            for score in group.scores(record):
                if score["column"] == group.suite["headline"]:
                    headlines[score["variant"]] += score["headline_variant"]
        main = min(headlines, key=lambda variant: (-headlines[variant], variant), default="")
        entry = max(runs, key=lambda record: (record["finished"], record["run_id"]))["entry"]
        for variant in headlines or [""]:
            seeds = [_seed(group, record, variant, known) for record in sorted(runs, key=lambda record: record["seed"])]
            made.append(Row(entry["label"], variant, entry, runs[0]["kind"], seeds, variant == main))
            if variant != main:
                made[-1].label += f" ({made[-1].weights})"
    return made


def _seed(group: Group, record: Record, variant: str, known: Mapping[str, Column]) -> Seed:
    status, reason = record["status"], record.get("reason") or ""
    if status not in ("completed", "diverged"):
        return Seed(record["seed"], "skipped" if status == "skipped" else "missing", record, reason=reason or status)
    mine = [score for score in group.scores(record) if score["variant"] == variant]
    kept: dict[str, dict[str, Any]] = {}
    for score in mine:
        if (score["fingerprint"] or "") == known[score["column"]].fingerprint and score["value"] is not None:
            kept.setdefault(score["column"], score)
    scores = {name: float(score["value"]) for name, score in kept.items()}
    if status == "diverged" and (look := _last_look(record, group.suite["headline"])):
        reason = f"{reason}; {look}" if reason else look
    seed = Seed(record["seed"], status, record, scores, _sanity(record, variant), reason)
    errors = {name: score.get("sampling_error") for name, score in kept.items()}
    seed.errors = {name: float(error["value"]) for name, error in errors.items() if error}
    seed.parts = {name: score["parts"] for name, score in kept.items() if score.get("parts")}
    if status == "completed" and group.suite["headline"] not in scores:
        _without_headline(seed, [score for score in mine if score["column"] == group.suite["headline"]])
    return seed


def _last_look(record: Record, headline: str) -> str:
    """The last good score of a run that diverged: that of its last early look, in words."""
    for look in reversed(record.get("looks") or []):
        if look.get("column") == headline and look.get("value") is not None:
            count = f", {look['n']} samples" if look.get("n") else ""
            return f"the last look at cycle {look.get('cycle')} gave {headline} {look['value']:.4g} (val{count})"
    return ""


def _without_headline(seed: Seed, headline: list[dict[str, Any]]) -> None:
    """A completed run without a headline: what it generated was not finite, which is a failure of the method; or the
    metric was skipped, or never run."""
    skipped = next((score["skipped"] for score in headline if score.get("skipped")), None)
    trained = seed.record["kind"] == "trained"
    if trained and any(score.get("not_finite") and score["value"] is None for score in headline):
        seed.status, seed.reason = "diverged", skipped or "the headline is not finite"
    elif skipped:
        seed.status, seed.reason = "skipped", skipped
    elif any(score["value"] is None for score in headline):
        seed.status, seed.reason = "diverged", "the headline is not finite"
    else:
        seed.status, seed.reason = "missing", "not scored"


def _sanity(record: Record, variant: str) -> dict[str, float]:
    sanity = (record.get("sanity") or {}).get(variant) or {}
    values = {"histogram_tv": histogram_distance(sanity.get("histogram")), "confidence": sanity.get("confidence")}
    return {name: float(value) for name, value in values.items() if value is not None and math.isfinite(value)}
