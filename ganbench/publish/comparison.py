"""Two rows side by side, for the terminal, as Markdown and as JSON."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from ganbench.errors import UsageError, nearest
from ganbench.publish.console import rich_table
from ganbench.publish.json import clean
from ganbench.publish.markdown import escape, grid
from ganbench.publish.tables import BYTES, Field, Table, mark, whole
from ganbench.publish.text import NOTHING, number, plain, quantity
from ganbench.rank import Column, Comparison, Comparisons
from ganbench.rank.comparison import CLOCKS, Compared, Values
from ganbench.rank.identity import Difference
from ganbench.rank.sides import Entry
from ganbench.rank.statistics import MIN_SEEDS, Estimate

FORMATS = ("text", "md", "json")
_COSTS: dict[str, tuple[str, Callable[[float], str]]] = {
    "images_per_second": ("images/s", whole),
    "seconds": ("Train s", whole),
    "peak_memory_bytes": ("Memory", lambda value: quantity(value, BYTES)),
    "parameters_G": ("G size", quantity),
    "parameters_D": ("D size", quantity),
}
_SIDES = [Field("A", "name", left=True), Field("B", "name", left=True)]
Part = str | Table | list[str]
"""A heading, a table, or lines of text."""


def render(found: Comparisons, format: str = "text", width: int = 100) -> str:
    """The comparison in one of `FORMATS`. width: columns of the text form."""
    if format == "json":
        return json.dumps(_json(found), indent=1, allow_nan=False) + "\n"
    if format == "md":
        return "\n".join(line for part in _parts(found) for line in _markdown(part))
    if format != "text":
        raise UsageError(f"no format `{format}`: {nearest(format, FORMATS)}")
    page = io.StringIO()
    # without both sizes, rich asks the environment
    show(found, Console(file=page, width=width, height=25, color_system=None, legacy_windows=False))
    return "\n".join(line.rstrip() for line in page.getvalue().splitlines()) + "\n"


def show(found: Comparisons, console: Console) -> None:
    """Prints the comparison."""
    for part in _parts(found):
        if isinstance(part, str):
            console.print(Text(part, style="bold"))
        elif isinstance(part, Table):
            console.print(rich_table(part), Text(), sep="\n")
        else:
            console.print(Text("\n".join(part)))


def _markdown(part: Part) -> list[str]:
    if isinstance(part, str):
        return [f"### {escape(part)}", ""]
    if isinstance(part, Table):
        return grid(part, [row for rows in part.sections.values() for row in rows])
    return [*(f"- {escape(line)}" for line in part if line), ""]


def _parts(found: Comparisons) -> Iterator[Part]:
    if len(found.pairs) > 1:
        yield from _many(found)
        return
    pair = found.pairs[0]
    yield f"{plain(pair.a.row.label)} (A) and {plain(pair.b.row.label)} (B)"
    yield [*(f"{name}: {_who(entry)}" for name, entry in (("A", pair.a), ("B", pair.b))), ""]
    yield "In what they differ"
    if pair.differs:
        yield _facts(pair.differs)
    else:
        yield ["In nothing that decides scores, but for the seeds.", ""]
    if pair.beside:
        yield "What they were made with"
        yield _facts(pair.beside)
    yield "Scores and costs"
    costs = [_cost(name, *values) for name, values in pair.costs.items() if not all(map(math.isnan, values))]
    scores = [_score(pair, column) for column in pair.columns]
    fields = [Field("Column", "name", left=True), *_SIDES, Field(_change_title(pair.columns), "name", left=True)]
    yield Table("", fields, {"entries": scores, "scale": costs} if costs else {"entries": scores}, [])
    yield [plain(pair.verdict), *_notes(pair)]


def _who(entry: Entry) -> str:
    seeds = ", ".join(str(seed.seed) for seed in entry.seeds) if entry.row.seeded else "not known"
    count = f"{entry.row.n} seed{'s' * (entry.row.n != 1)} ({seeds})"
    return plain(f"{entry.row.label}, {count}, suite {entry.suite}, from {entry.where}")


def _facts(differs: Sequence[Difference]) -> Table:
    rows = [[plain(one.what), *(_words(side) for side in (one.a, one.b))] for one in differs]
    return Table("", [Field("What", "name", left=True), *_SIDES], {"entries": rows}, [])


def _words(values: tuple[str, ...]) -> str:
    return " | ".join(map(plain, values)) or NOTHING


def _score(pair: Comparison, compared: Compared) -> list[str]:
    sides = [_values(entry, values) for entry, values in ((pair.a, compared.a), (pair.b, compared.b))]
    return [_title(compared.column), *sides, compared.apart or _estimate(compared.change, _sign(compared.log))]


def _title(column: Column) -> str:
    return f"{plain(column.title)} {({'lower': '↓', 'higher': '↑'}).get(column.direction, '')}".strip()


def _values(entry: Entry, values: Values) -> str:
    if values.n >= MIN_SEEDS and not entry.row.failures:
        return _estimate(values.mean)
    each = zip(entry.seeds, values.each, strict=True)
    words = [mark(seed.status, number(value)) for seed, value in each]
    return " · ".join(words) if set(words) - {NOTHING} else NOTHING


def _estimate(found: Estimate, sign: str = "") -> str:
    """`1.59 [1.08, 2.34]`; without the interval where there is none."""
    if not math.isfinite(found.centre):
        return NOTHING
    bounds = f" [{number(found.low)}, {number(found.high)}]" if math.isfinite(found.low) else ""
    return f"{sign}{number(found.centre)}{bounds}"


def _sign(log: bool) -> str:
    return "× " if log else ""


def _change_title(columns: Iterable[Compared]) -> str:
    kinds = {compared.log for compared in columns if not compared.apart}
    return " or ".join(["A ÷ B (×)"] * (True in kinds) + ["A − B"] * (False in kinds)) or "Difference"


def _cost(name: str, a: float, b: float) -> list[str]:
    title, words = _COSTS[name]
    return [title, words(a), words(b), NOTHING]


def _notes(pair: Comparison) -> Iterator[str]:
    intervals = any(math.isfinite(compared.change.low) for compared in pair.columns)
    if pair.repeated:
        yield "Differences are of each run and its repetition."
    elif intervals:
        yield (
            "Intervals of differences: 95 %, Welch's t over unpaired seeds, for that one pair and column; nothing is "
            "corrected for there being several."
        )
    if min(pair.a.row.n, pair.b.row.n) < MIN_SEEDS:
        yield "Fewer than 3 seeds: the value of each, no interval."
    if pair.barriers:
        yield "Values stand beside each other and are not compared."
    if pair.a.row.failures or pair.b.row.failures:
        yield "✗: diverged; †: degenerate. Means of the seeds that did not fail would favour who fails."
    if not set(CLOCKS) & set(pair.costs):
        yield "Seconds and images/s are left out: they compare on one machine only."
    yield "Costs are medians over seeds."


def _many(found: Comparisons) -> Iterator[Part]:
    first = found.pairs[0]
    yield f"{plain(first.a.where)} (A) and {plain(first.b.where)} (B)"
    fields = [Field("Entry", "name", left=True), *_SIDES]
    fields += [
        Field(_change_title(pair.columns[0] for pair in found.pairs), "name", left=True),
        Field("Better", "name"),
    ]
    fields += [Field("Facts that differ", "name")]
    rows = []
    for pair in found.pairs:
        label = plain(pair.a.row.label)
        told = label if pair.a.row.label == pair.b.row.label else f"{label}, {plain(pair.b.row.label)}"
        rows.append([told, *_score(pair, pair.columns[0])[1:], pair.better.upper() or NOTHING, str(len(pair.differs))])
    yield Table("", fields, {"entries": rows}, [])
    said: dict[str, list[str]] = {}
    for pair in found.pairs:
        said.setdefault(plain(pair.verdict), []).append(plain(pair.a.row.label))
    lines = [f"Headline: {_title(first.columns[0].column)}."]
    lines += list(said) if len(said) == 1 else [f"{', '.join(labels)}: {words}" for words, labels in said.items()]
    for name, only in (("A", found.only_a), ("B", found.only_b)):
        if only:
            lines.append(f"Only in {name}: {', '.join(map(plain, only))}.")
    yield [*lines, "`--entry NAME` shows one of them whole; `--format json` all."]


def _json(found: Comparisons) -> dict[str, Any]:
    pairs = [_pair(pair) for pair in found.pairs]
    return {"pairs": clean(pairs), "only_a": list(found.only_a), "only_b": list(found.only_b)}


def _pair(pair: Comparison) -> dict[str, Any]:
    return {
        "a": _entry(pair.a),
        "b": _entry(pair.b),
        "differs": [vars(one) for one in pair.differs],
        "beside": [vars(one) for one in pair.beside],
        "barriers": pair.barriers,
        "repeated": pair.repeated,
        "columns": [_column(compared) for compared in pair.columns],
        "costs": {name: {"a": a, "b": b} for name, (a, b) in pair.costs.items()},
        "better": pair.better,
        "verdict": pair.verdict,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    row = entry.row
    runs = [{"seed": seed.seed, "status": seed.status, "run_id": seed.record["run_id"]} for seed in entry.seeds]
    return {"from": entry.where, "suite": entry.suite, "label": row.label, "variant": row.variant, "runs": runs}


def _column(compared: Compared) -> dict[str, Any]:
    sides = {
        name: {"values": side.each, "n": side.n, **vars(side.mean)}
        for name, side in (("a", compared.a), ("b", compared.b))
    }
    column = compared.column
    return {
        "column": column.name,
        "direction": column.direction,
        "samples": column.n,
        **sides,
        "change": {"kind": "ratio" if compared.log else "difference", **vars(compared.change)},
        "apart": compared.apart,
    }
