"""Tables at equal spend: what early looks gave once each entry had made as many updates of its generator, or spent as
many FLOPs, as the one that ends with the fewest.

A suite gives all entries one budget, mostly of real images; of what is not budgeted one entry may have had five times
as much as another. Looks are few, so that most entries are seen somewhat before the common spend, and it is told where.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ganbench.errors import UsageError, nearest, short
from ganbench.rank import statistics
from ganbench.rank.frames import PLACE, Look, place
from ganbench.rank.rows import Column, Row, Seed

SPENDS = {"updates": "generator updates", "flops": "FLOPs"}
"""What may be made equal, with its words."""
NEAR = 0.01
"""Share by which two spends may differ that are taken for the same."""
_SPENT = ["at", "next", "end"]
_ROWS = [
    "spend", "common", *PLACE, "n", "diverged", "statuses", "values", "centre", "low", "high", "log", "median", *_SPENT,
    "next_value",
]  # fmt: skip
_SEEDS = ["spend", "common", *PLACE, "seed", "status", "cycle", *_SPENT, "value", "next_value"]

Placed = tuple[Row, int]
"""A row and its position."""


@dataclass(frozen=True)
class Common:
    """spend: a key of `SPENDS`. amount: the least of it that one of the entries has at the end of its budget."""

    spend: str
    amount: float


@dataclass(frozen=True, eq=False)
class Equal:
    """tables: those that say what the leaderboard does not.

    rows: one line a table and compared entry, in the order of the table (the median over seeds; entries without a value
        last): spend, common (the amount); section, position, label, variant (of the leaderboard); n, statuses, values
        (of the seeds that had a look by then, or had diverged), diverged (how many), centre, low, high, log, median,
        as in the leaderboard's frame; the least over seeds of what they had spent: at (by that look), next (by the one
        after it, or by the first where none was that early), end (of the budget); and next_value (the mean, as centre
        is, where every seed has one).
    seeds: one line a table, entry and seed: the same of one seed; status (completed, or diverged by then), cycle and
        value of that look (NaN: none), next_value.
    captions: what there is to say of them, and why there are no others.
    """

    tables: tuple[Common, ...]
    rows: pd.DataFrame
    seeds: pd.DataFrame
    captions: tuple[str, ...]


def equal(
    placed: Sequence[Placed], looks: Sequence[Look], headline: Column, asked: Sequence[str] | None = None
) -> Equal:
    """placed: rows with their positions. looks: at the headline, all measured alike. asked: keys of `SPENDS`, of which
    somebody wants to know; None: all of which there is something to say."""
    for word in asked or ():
        if word not in SPENDS:
            raise UsageError(f"nothing to make equal is called {short(word)}; {nearest(word, SPENDS)}")
    shown = [(row, at) for row, at in placed if row.main and row.section == "entries"]
    mine: dict[int, list[Look]] = {}
    for look in looks:
        if look.fields.get("cycle") is not None:
            mine.setdefault(id(look.seed), []).append(look)
    for found in mine.values():
        found.sort(key=lambda look: look.fields["cycle"])
    spends = [_Spend(spend, shown, mine, headline) for spend in (SPENDS if asked is None else dict.fromkeys(asked))]
    told = [one for one in spends if one.tells]
    rows = pd.DataFrame([row for one in told for row in one.rows], columns=_ROWS)
    seeds = pd.DataFrame([seed for one in told for seed in one.seeds], columns=_SEEDS).astype({"seed": "Int64"})
    said = [line for one in spends for line in one.captions(asked is not None)]
    tables = tuple(Common(one.spend, one.common) for one in told)
    return Equal(tables, rows, seeds, (*_captions(rows, looks), *said))


def _per_cycle(seed: Seed, spend: str) -> float:
    """What one cycle of a run spends; NaN where it is not known, or not the same in each."""
    if spend == "flops":
        flops = seed.record.get("flops_per_cycle") or 0
        return float(flops) if flops > 0 else math.nan
    counters = seed.record.get("counters") or {}
    cycles, updates = counters.get("cycles") or 0, counters.get("generator_steps") or 0
    return float(updates // cycles) if cycles > 0 and updates > 0 and updates % cycles == 0 else math.nan


def _end(seed: Seed, spend: str) -> float:
    """What a run had spent at its end, be it that of the budget or the cycle at which it broke."""
    cycles = (seed.record.get("counters") or {}).get("cycles")
    if seed.record["status"] == "diverged":
        cycles = seed.record.get("last_step", cycles)
    end = math.nan if cycles is None else cycles * _per_cycle(seed, spend)
    return end if 0 < end < math.inf else math.nan


class _Spend:
    """One kind of spend over the entries of a table."""

    def __init__(self, spend: str, shown: Sequence[Placed], mine: Mapping[int, list[Look]], headline: Column) -> None:
        self.spend, self.words, self.headline, self._looks = spend, SPENDS[spend], headline, mine
        self._sign = -1.0 if headline.direction == "higher" else 1.0
        self._ends = {id(row): end for row, _ in shown if not math.isnan(end := self._least_end(row))}
        seen = {id(row) for row, _ in shown if any(id(seed) in mine for seed in row.seeds if seed.counts)}
        compared = [(row, at) for row, at in shown if id(row) in self._ends and id(row) in seen]
        self._left_out = [row for row, _ in shown if id(row) not in self._ends or id(row) not in seen]
        self._compared = [self._ends[id(row)] for row, _ in compared]
        self.common = min(self._compared, default=math.nan)
        head = {"spend": spend, "common": self.common}
        places = [{**head, **place(row, at)} for row, at in compared]
        found = [list(self._seeds(row)) for row, _ in compared]
        self.seeds = [{**where, **seed} for where, lines in zip(places, found, strict=True) for seed in lines]
        values = [seed[name] for seed in self.seeds for name in ("value", "next_value")]
        log = statistics.on_log([value for value in values if not math.isnan(value)], headline.positive)
        whole = zip(places, found, self._compared, strict=True)
        rows = [{**where, **self._row(lines, log), "end": end} for where, lines, end in whole]
        self.rows = sorted(rows, key=lambda row: (not row["n"], self._sign * row["median"] if row["n"] else 0.0))

    def _least_end(self, row: Row) -> float:
        """What the least of its seeds had spent at the end of the budget."""
        ends = [_end(seed, self.spend) for seed in row.seeds if seed.counts and seed.record["status"] == "completed"]
        return min((end for end in ends if not math.isnan(end)), default=math.nan)

    def _seeds(self, row: Row) -> Iterator[dict[str, Any]]:
        """Of every seed whose way is known its last look by the common spend."""
        by = self.common * (1 + NEAR)
        for seed in row.seeds:
            each, looks = _per_cycle(seed, self.spend), self._looks.get(id(seed), [])
            if not seed.counts or not (seed.status == "diverged" or (looks and not math.isnan(each))):
                continue
            end = _end(seed, self.spend)
            broke = seed.status == "diverged" and not end > by
            cycles = [float(look.fields["cycle"]) for look in looks]
            past = sum(cycle * each <= by for cycle in cycles)
            now = past - 1 if past and not broke else None
            later = past if past < len(cycles) and not broke else None
            yield {
                "seed": seed.seed,
                "status": "diverged" if broke else "completed",
                "cycle": math.nan if now is None else cycles[now],
                "at": math.nan if now is None else cycles[now] * each,
                "next": math.nan if later is None else cycles[later] * each,
                "end": end,
                "value": math.nan if now is None else float(looks[now].fields["value"]),
                "next_value": math.nan if later is None else float(looks[later].fields["value"]),
            }

    def _row(self, lines: Sequence[Mapping[str, Any]], log: bool) -> dict[str, Any]:
        values = [line["value"] for line in lines if not math.isnan(line["value"])]
        known = [line for line in lines if values and (line["status"] == "diverged" or not math.isnan(line["value"]))]
        diverged = sum(line["status"] == "diverged" for line in known)
        found, later = statistics.estimate(values, log), [line["next_value"] for line in lines]
        costs = [math.inf if line["status"] == "diverged" else self._sign * line["value"] for line in known]
        least = {name: [line[name] for line in lines if line[name] > 0] for name in ("at", "next")}
        return {
            "n": len(known),
            "diverged": diverged,
            "statuses": tuple(line["status"] for line in known),
            "values": tuple(line["value"] for line in known),
            **vars(statistics.Estimate(found.centre) if diverged else found),
            "log": log,
            "median": self._sign * statistics.median_cost(costs),
            **{name: min(spent, default=math.nan) for name, spent in least.items()},
            "next_value": math.nan if any(map(math.isnan, later)) else statistics.estimate(later, log).centre,
        }

    @property
    def _bases(self) -> list[float]:
        """Ends of the entries that are compared, or of all that are known where those are fewer than two."""
        return self._compared if len(self._compared) > 1 else list(self._ends.values())

    @property
    def _same(self) -> bool:
        return bool(self._bases) and max(self._bases) <= (1 + NEAR) * min(self._bases)

    @property
    def tells(self) -> bool:
        """Whether values are compared of which the leaderboard has not all: one is of before its run's end."""
        early = any(seed["at"] < (1 - NEAR) * seed["end"] for seed in self.seeds)
        return not self._same and early and sum(row["n"] > 0 for row in self.rows) > 1

    def captions(self, asked: bool) -> Iterator[str]:
        """Why there is no table, and who is not in it."""
        if len(self._bases) < 2:
            if asked:
                yield f"No table at equal {self.words}: fewer than two entries of which they are known."
            return
        least, most = (amount(value, self.spend) for value in (min(self._bases), max(self._bases)))
        ends = least if least == most else f"{least} to {most}"
        alone = len(self._compared) < 2
        if self._same:
            yield f"At equal {self.words} the table is the leaderboard itself: its entries end at {ends}."
        elif alone:
            yield (
                f"No table at equal {self.words}, of which entries end at {ends}: fewer than two have early looks at "
                f"{self.headline.name}."
            )
        elif not self.tells:
            first = min((row["next"] for row in self.rows if not row["n"]), default=math.nan)
            begin = f": looks of those that go on begin at {amount(first, self.spend)}" if first < math.inf else ""
            yield f"No table at equal {self.words} ({least}, the least that an entry ends at){begin}."
        if left := [row.label for row in self._left_out if not (alone and id(row) in self._ends)]:
            yield f"Not compared at equal {self.words}, for lack of early looks or counts: {', '.join(left)}."


def amount(value: float, spend: str) -> str:
    """An amount in words: `125` generator updates, `291 G` FLOPs."""
    if spend == "updates":
        return f"{value:.0f}"
    power = min(6, int(math.log10(max(value, 1.0) * (1 + 5e-4)) // 3))
    return f"{value / 1000**power:.3g}{('', ' k', ' M', ' G', ' T', ' P', ' E')[power]}"


def _captions(rows: pd.DataFrame, looks: Sequence[Look]) -> Iterable[str]:
    """How the tables are read."""
    if rows.empty:
        return
    first = looks[0].fields
    count = f"{first['n']} samples, " if first.get("n") else ""
    yield (
        f"Equal spend: each seed's last early look ({count}split {first.get('split') or 'unknown'}; not to be compared "
        "with the table's values) by the least that any of these entries has spent at its end, or at most 1 % above. "
        "Ordered by the median over seeds; nothing is ranked or tested."
    )
    yield (
        "Looks are few, so in shares of that spend: At, what had been spent by that look; Next look, by the one after "
        "it, with what it gave; End, by the whole run. No value: the first look came later."
    )
    yield (
        "A look before a run's end is of a run in the midst of its schedules, not of one that was planned to end there."
    )
    whole = rows[rows["n"] >= statistics.MIN_SEEDS]
    if rows["n"].between(1, statistics.MIN_SEEDS - 1).any():
        yield "Fewer than 3 seeds: the value of each."
    if (whole["diverged"] == 0).any():
        mean, scale = ("geometric", "the log") if whole["log"].any() else ("arithmetic", "the raw score")
        yield f"Centre [95 % interval]: the {mean} mean over training seeds, t interval on {scale}."
    if rows["diverged"].any():
        yield "✗: diverged by then, the worst there is; a seed that fails later counts by its look."
    if (rows["spend"] == "flops").any():
        yield (
            "FLOPs: of matrix products and convolutions in a run's first cycle, for each of its cycles; what acts in "
            "some cycles only counts in all or none."
        )
