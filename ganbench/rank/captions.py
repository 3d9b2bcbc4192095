"""The lines under a table: what its numbers cover, and what they cannot say."""

from __future__ import annotations

import itertools
import math
import statistics as plain
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ganbench.rank import statistics
from ganbench.rank.rows import Column, Row

_KINDS = {
    "reduced": "Reduced recipes, shrunk to fit a small machine: nothing is claimed.",
    "as published": "Each paper's own recipe: no superiority is claimed.",
    "tuned": "Tuned: every entry had the same search space and number of trials.",
}
_TEST = "test"


def captions(
    suite: Mapping[str, Any],
    cols: Sequence[Column],
    made: list[Row],
    costs: list[statistics.Floats],
    log: bool,
    superseded: int,
    reproduced: int,
    strange: Mapping[str, int],
) -> tuple[str, ...]:
    """The captions of one table. cols: headline first. costs: of the ranked rows, in their order."""
    headline, *others = cols
    if all(row.kind == "foreign" for row in made):
        nothing = "Nothing that was trained here is measured like this."
        return (*_values(made, headline, log), nothing, *_seeds(made), *_measured(made, others))
    return tuple(
        [
            *_kind(suite),
            *_values(made, headline, log),
            *_ranks(suite, headline, made, costs, log),
            *_seeds(made),
            *_measured(made, others),
            *_counts(superseded, reproduced, strange),
        ]
    )


def _kind(suite: Mapping[str, Any]) -> Iterator[str]:
    table = suite["table"]
    yield _KINDS.get(table, f"Kind of table: {table}.")
    if tuning := suite.get("tuning"):
        yield _search(tuning)
    if (split := suite.get("split") or _TEST) != _TEST:
        yield f"Measured against {split}, to choose by: no result."
    if suite.get("note"):
        yield str(suite["note"])


def _search(tuning: Mapping[str, Any]) -> str:
    """How the recipes of a tuned table were found, in words."""
    keys = ", ".join(f"{key} {_drawn(values)}" for key, values in sorted((tuning.get("space") or {}).items()))
    seeds = len(tuning.get("seeds") or [])
    return (
        f"{tuning.get('trials')} trials of each entry, its own recipe being one of them, with {seeds} "
        f"seed{'s' * (seeds != 1)} of {'their' if seeds != 1 else 'its'} own; chosen by {tuning.get('headline')} on "
        f"{tuning.get('split')} ({tuning.get('data')}). Searched: {keys}."
    )


def _drawn(values: Any) -> str:
    if isinstance(values, Mapping):
        return f"{values.get('low')} to {values.get('high')}{' (log)' * bool(values.get('log'))}"
    return " or ".join(map(str, values)) if isinstance(values, list) else str(values)


def _values(made: list[Row], headline: Column, log: bool) -> Iterator[str]:
    better = {"lower": "lower is better", "higher": "higher is better"}.get(headline.direction, "no direction")
    yield f"Headline: {headline.title} ({better}), at the end of the budget; ordered by the median over seeds."
    entries = [row for row in made if row.trained]
    if any(0 < row.n < statistics.MIN_SEEDS for row in entries):
        yield "Fewer than 3 seeds: the value of each, no interval, no rank."
    if any(row.n >= statistics.MIN_SEEDS and not row.failures for row in entries):
        mean, scale = ("geometric", "on the log") if log else ("arithmetic", "on the raw score")
        yield f"Centre [95 % interval]: the {mean} mean over training seeds, t interval {scale}; it covers that mean."


def _ranks(
    suite: Mapping[str, Any], headline: Column, made: list[Row], costs: list[statistics.Floats], log: bool
) -> Iterator[str]:
    if not suite["ranks"] or headline.direction == "none":
        why = "the headline has no direction" if suite["ranks"] else "this tier is too short to tell entries apart"
        yield f"No ranks: {why}."
        return
    if len(costs) < 2:
        yield "No ranks: fewer than two entries have 3 seeds."
        return
    sizes = [(len(a), len(b)) for a, b in itertools.combinations(costs, 2)]
    pairs = len(sizes)
    yield (
        f"Ranks admit ties: Welch's t over unpaired seeds, Holm's correction over {pairs} "
        f"pair{'s' if pairs > 1 else ''}, {100 * statistics.LEVEL:.0f} % for the whole table; "
        f"pairs with a failed seed by {statistics.permutation_words(sizes)}."
    )
    spread = statistics.pooled_spread(costs)
    if math.isfinite(spread) and spread > 0:
        seeds = sorted(len(row) for row in costs)[(len(costs) - 1) // 2]
        found = statistics.detectable(spread, seeds, pairs)
        size = smallest(found, log)
        yield f"Smallest detectable {size}, with 80 % power at {seeds} seeds and this table's own spread."


def smallest(found: float, log: bool) -> str:
    """A detectable difference of costs in words: `ratio: 2.15`."""
    return f"ratio: {_ratio(found)}" if log else f"difference: {found:.3g}"


def _ratio(logarithm: float) -> str:
    """A ratio in words; `none` where a number cannot hold it."""
    try:
        ratio = math.exp(logarithm)
    except OverflowError:
        return "none"
    return f"{ratio:.2f}" if ratio < 1000 else f"{ratio:.1e}"


def _seeds(made: list[Row]) -> Iterator[str]:
    trained = [row for row in made if row.trained]
    if others := sorted({f"({row.weights})" for row in trained if not row.main}):
        yield f"{', '.join(others)}: other weights of the same runs, so neither ranked nor compared."
    if any(row.kind == "foreign" for row in made):
        yield "Foreign: samples of another program; on what and for how long it trained is not known here: no rank."
    if any(seed.status == "degenerate" for row in trained for seed in row.seeds):
        bad = " or ".join(sorted({row.label for row in made if row.entry.get("role") == "degenerate"}))
        yield f"†: degenerate, finite but no better than {bad}; counts as a failure of the method."
    if any(seed.status == "diverged" for row in trained for seed in row.seeds):
        yield "✗: diverged; counts as a failure of the method."
    if any(row.failures and row.n >= statistics.MIN_SEEDS for row in trained):
        yield "Rows with failures: the median, failed seeds being the worst; *: mean of the seeds that did not fail."
    if any(row.section == "unranked" and row.n for row in trained):
        yield "Unranked: more than half of the seeds failed; outside the pairs."
    lost = {id(seed.record) for row in made if row.section != "skipped" for seed in row.seeds if not seed.counts}
    if lost:
        runs = f"{len(lost)} run{'s' if len(lost) > 1 else ''}"
        yield f"Missing: {runs} that the harness lost or could not score; no failure of the method."
    if mixed := {row.label for row in trained if _mixed([seed.record for seed in row.seeds if seed.counts])}:
        yield f"Seeds made with different versions of a plugin's code: {', '.join(sorted(mixed))}."
    for row in trained:
        if changed := sorted({key for seed in row.seeds if seed.counts for key in _forced(seed.record)}):
            yield f"{row.label}: gone on by force after a change of {', '.join(changed)}, so not bit for bit."
    if any((seed.record.get("throughput") or {}).get("shared_device") for row in trained for seed in row.seeds):
        yield "images/s is left out where something else ran on the device."


def _forced(record: Mapping[str, Any]) -> list[str]:
    """What had changed when this run went on from a checkpoint all the same."""
    return [str(key) for forced in record.get("forced") or [] for key in forced["differences"]]


def _measured(made: list[Row], others: Sequence[Column]) -> Iterator[str]:
    """What there is to say of scores: why columns are empty, how far values move, what metrics warned of."""
    yield from _empty(made, others)
    yield from _sampling(made)
    yield from _cautions(made)


def _empty(made: list[Row], others: Sequence[Column]) -> Iterator[str]:
    """The columns that no row has a value of, which tables leave out. Of the headline each row itself says why."""
    full = {column for row in made for seed in row.seeds for column in seed.scores}
    reasons: dict[str, Counter[str]] = {column.name: Counter() for column in others if column.name not in full}
    for row in made:
        for seed in row.seeds:
            for score in seed.record.get("scores") or []:
                if score["variant"] == row.variant and score["skipped"] and score["column"] in reasons:
                    reasons[score["column"]][score["skipped"]] += 1
    said = []
    for column, found in reasons.items():
        first = min(found, key=lambda reason: (-found[reason], reason), default="")
        if first or full:
            said.append(column + (f" ({first}{', …' if len(found) > 1 else ''})" if first else ""))
    if said:
        yield f"Not measured: {'; '.join(said)}."


def _sampling(made: list[Row]) -> Iterator[str]:
    """How far scores move by which samples of one model were drawn: the median over seeds, for each column."""
    found: dict[str, list[float]] = {}
    for row in made:
        for seed in row.seeds if not row.scale else []:
            for column, error in seed.errors.items():
                found.setdefault(column, []).append(error)
    if found:
        each = ", ".join(f"{column} {plain.median(errors):.2g}" for column, errors in found.items())
        yield (
            f"Error of scoring a finite sample of one model (standard error, median over runs): {each}. It is no error "
            "of a row: the spread over seeds contains it already. Each run's is in the CSV and the JSON."
        )


def _cautions(made: list[Row]) -> Iterator[str]:
    """What metrics warned of, each once for a column, however many seeds it concerns."""
    said: dict[str, set[int]] = {}
    for row in made:
        for seed in row.seeds:
            for score in seed.record.get("scores") or []:
                if score["variant"] == row.variant:
                    for text in score.get("cautions") or []:
                        said.setdefault(f"{score['column']}: {text}", set()).add(id(seed.record))
    for line, runs in said.items():
        yield f"Read with care: {line} ({len(runs)} run{'s' if len(runs) > 1 else ''})."


def _mixed(records: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a plugin took part in two of these runs with different code. One may have had more of them than another:
    it was measured further."""
    known: dict[str, set[str]] = {}
    for record in records:
        code: dict[str, set[str]] = {}
        for plugin in record.get("plugins") or []:
            if isinstance(plugin, dict):
                code.setdefault(str(plugin.get("module")), set()).add(str(plugin.get("sha256")))
        if any(known.setdefault(module, hashes) != hashes for module, hashes in code.items()):
            return True
    return False


def _counts(superseded: int, reproduced: int, strange: Mapping[str, int]) -> Iterator[str]:
    if superseded:
        yield f"Superseded: {superseded} older run{'s' if superseded > 1 else ''} of the same entry and seed left out."
    if reproduced:
        yield f"Reproduced: {reproduced} run{'s' if reproduced > 1 else ''} repeated on another machine, counted once."
    for column, count in strange.items():
        yield f"{column}: {count} value{'s' if count > 1 else ''} measured otherwise left out of the column."
