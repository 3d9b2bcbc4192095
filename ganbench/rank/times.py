"""Time to quality: the first early look at which a seed's headline was at a target, and what had been spent until then.

Looks are few: all that is known is that the target was reached after the look before and by this one. A seed that never
reached it is later than every other, so that there is a median as long as more than half of the seeds did.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ganbench.errors import UsageError, nearest, short
from ganbench.rank.frames import PLACE, Look, place
from ganbench.rank.levels import Level
from ganbench.rank.rows import Column, Row, Seed
from ganbench.rank.statistics import MIN_SEEDS, median_cost

SPENT = ("real_images", "generator_steps", "seconds")
_BOUNDS = [name + end for name in SPENT for end in ("_after", "")]
_ROWS = ["target", "bound", *PLACE, "n", "reached", "held", *_BOUNDS]
_SEEDS = ["target", "bound", *PLACE, "seed", "status", "reached", "held", *_BOUNDS]


@dataclass(frozen=True)
class Target:
    """A value of the headline. name: of the suite's level that it bounds, or "" where it was asked for."""

    name: str
    bound: float


@dataclass(frozen=True, eq=False)
class Times:
    """targets: the strictest first of the suite's, then those asked for.

    rows: one line a target and trained entry: target (the level's name, or ""), bound; section, position, label,
        variant; n (seeds whose looks are known), reached and held (how many); and of real_images, generator_steps and
        seconds the medians over seeds, as two bounds each (`…_after` and the name itself; NaN below three seeds, where
        no more than half of them reached it, and where it is not known what one spent).
    seeds: one line a target, entry and seed: the same of one seed; reached and held are truths (held: no later look is
        worse, and the seed did not fail); seconds are NaN beside other work on the device, and on another machine than
        that of most seeds of the table.
    captions: what there is to say of them.
    """

    targets: tuple[Target, ...]
    rows: pd.DataFrame
    seeds: pd.DataFrame
    captions: tuple[str, ...]


def choose(asked: Sequence[str] | None, known: Iterable[Level], headline: Column) -> tuple[Target, ...]:
    """The targets of a table: the suite's levels that bound its headline, or what was asked for (names of levels, and
    values); a name that this table has no level of is left out."""
    levels = {level.name: Target(level.name, level.bound) for level in known if math.isfinite(level.bound)}
    if asked is None:
        return tuple(levels.values())
    found: list[Target] = []
    for word in asked:
        if word in levels:
            found.append(levels[word])
        elif (value := _value(word)) is not None:
            if headline.direction == "none":
                raise UsageError(f"--target: {headline.name} has no direction, so that nothing reaches {short(word)}")
            found.append(Target("", value))
    return tuple(dict.fromkeys(found))


def check_asked(asked: Sequence[str], tables: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Refuse targets that no table can have. tables: the headline of each, and the names of its levels that bound
    it."""
    found = [(headline, list(levels)) for headline, levels in tables]
    headlines = sorted({headline for headline, _ in found})
    names = {name for _, levels in found for name in levels}
    for word in asked:
        if word in names:
            continue
        if _value(word) is None:
            raise UsageError(f"--target: {short(word)} is no number and no level here; {nearest(word, names)}")
        if len(headlines) > 1:
            raise UsageError(
                f"--target: {short(word)} of which of {', '.join(headlines)}? Give the folder of one suite"
            )


def _value(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def times(
    placed: Sequence[tuple[Row, int]],
    looks: Sequence[Look],
    headline: Column,
    targets: Sequence[Target],
    asked: bool = False,
) -> Times:
    """placed: rows with their positions. looks: at the headline, all measured alike. asked: somebody wants to know."""
    shown = [(row, at) for row, at in placed if looks and row.main and row.trained and row.section != "skipped"]
    mine: dict[int, list[Mapping[str, Any]]] = {}
    for look in looks:
        mine.setdefault(id(look.seed), []).append(look.fields)
    machine = _machine(shown)
    lines, seeds = [], []
    for target, (row, at) in itertools.product(targets, shown):
        known = [seed for seed in row.seeds if seed.counts and (id(seed) in mine or seed.status == "diverged")]
        found = [_first(seed, mine.get(id(seed), []), target, headline, machine) for seed in known]
        if known:
            head = {"target": target.name, "bound": target.bound, **place(row, at)}
            seeds += [
                {**head, "seed": seed.seed, "status": seed.status, **one}
                for seed, one in zip(known, found, strict=True)
            ]
            lines.append({**head, **_row(found)})
    table = pd.DataFrame(lines, columns=_ROWS)
    each = pd.DataFrame(seeds, columns=_SEEDS).astype({"seed": "Int64"})
    nothing = (f"Time to quality: no run has an early look at {headline.name}.",) if asked else ()
    said = tuple(_captions(table, each, looks, headline, targets)) if lines else nothing
    return Times(tuple(targets), table, each, said)


def _machine(shown: Iterable[tuple[Row, int]]) -> str:
    """The machine of most seeds, on which seconds are compared; "" where none is named."""
    found = Counter(_made_on(seed) for row, _ in shown for seed in row.seeds if seed.counts)
    return min(found, key=lambda name: (not name, -found[name], name), default="")


def _made_on(seed: Seed) -> str:
    return (seed.record.get("environment") or {}).get("machine") or ""


def _first(
    seed: Seed, looks: list[Mapping[str, Any]], target: Target, headline: Column, machine: str
) -> dict[str, Any]:
    """Where one seed reached a target: bounds of all that it had spent, +inf where it never did."""
    ordered = sorted(looks, key=lambda look: look.get("cycle") or 0)
    sign = -1.0 if headline.direction == "higher" else 1.0
    there = [sign * look["value"] <= sign * target.bound for look in ordered]
    if not any(there):
        return {"reached": False, "held": False, **dict.fromkeys(_BOUNDS, math.inf)}
    at = there.index(True)
    timed = machine and _made_on(seed) == machine and not (seed.record.get("throughput") or {}).get("shared_device")
    before = _spent(seed, ordered[at - 1]) if at else dict.fromkeys(SPENT, 0.0)
    spent = _spent(seed, ordered[at])
    for name in SPENT:
        if math.isnan(before[name] + spent[name]) or (name == "seconds" and not timed):
            before[name] = spent[name] = math.nan
    bounds = {name + end: some[name] for name in SPENT for end, some in (("_after", before), ("", spent))}
    return {"reached": True, "held": all(there[at:]) and not seed.failed, **bounds}


def _spent(seed: Seed, look: Mapping[str, Any]) -> dict[str, float]:
    """What a seed had spent at a look; the generator's updates by its updates in a cycle, where that is a number."""
    counters = seed.record.get("counters") or {}
    cycles, updates = counters.get("cycles"), counters.get("generator_steps")
    made: int | None = None
    if isinstance(cycles, int) and isinstance(updates, int) and cycles > 0 and updates % cycles == 0:
        made = None if look.get("cycle") is None else look["cycle"] * (updates // cycles)
    found = [look.get("real_images"), made, look.get("seconds")]
    known = [math.nan if value is None else float(value) for value in found]
    return dict(zip(SPENT, known, strict=True))


def _row(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    reached = sum(one["reached"] for one in found)
    there = len(found) >= MIN_SEEDS and 2 * reached > len(found)
    medians = {name: _median([one[name] for one in found]) if there else math.nan for name in _BOUNDS}
    return {"n": len(found), "reached": reached, "held": sum(one["held"] for one in found), **medians}


def _median(values: Sequence[float]) -> float:
    return math.nan if any(map(math.isnan, values)) else median_cost(values)


def condition(target: Target, headline: Column) -> str:
    """A target as a condition: `learnt: fd/net ≤ 16.3`."""
    sign = "≥" if headline.direction == "higher" else "≤"
    return f"{f'{target.name}: ' * bool(target.name)}{headline.name} {sign} {target.bound:.3g}"


def _captions(
    rows: pd.DataFrame, seeds: pd.DataFrame, looks: Sequence[Look], headline: Column, targets: Sequence[Target]
) -> Iterable[str]:
    got = rows.groupby(["target", "bound"])["reached"].sum()
    first = looks[0].fields
    count = f"{first['n']} samples, " if first.get("n") else ""
    yield (
        f"Time to quality: the first early look ({count}split {first.get('split') or 'unknown'}) that reaches the "
        f"target, as a range from the look before it."
    )
    if got.gt(0).any():
        if (rows["n"] >= MIN_SEEDS).any():
            yield "Medians over seeds, where more than half reached it: one that never did is later than all others."
        if (rows["n"] < MIN_SEEDS).any():
            yield "Fewer than 3 seeds: each seed's, in their order."
        yield "Held: no later look is worse, and the seed did not fail. Nothing is ranked by these times."
    if any(target.name for target in targets):
        yield (
            "A level counts here by its bound on the headline alone; the bound is of values measured as the table's "
            "are, not as looks are."
        )
    for target in targets:
        if not got.get((target.name, target.bound), 0):
            yield f"No seed reached {condition(target, headline)}."
    if seeds.loc[seeds["reached"], "seconds"].isna().any():
        yield (
            "Seconds are left out beside other work on the device, and on another machine than that of most of the "
            "table's seeds."
        )
