"""A leaderboard as a table of words, the same for every page: which columns, which rows, how a number reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ganbench.publish.text import NOTHING, decimals, number, plain, quantity
from ganbench.rank import Column, Leaderboard
from ganbench.rank.statistics import MIN_SEEDS

DIVERGED, DEGENERATE, SURVIVORS, FEWER = "✗", "†", "*", "(n="
_FINISHED = ("completed", "degenerate", "diverged")
BYTES = (" B", " kB", " MB", " GB", " TB")


@dataclass(frozen=True)
class Field:
    """A column of words. part: name, headline, score, quality, sanity or cost. left: set left (text), else right."""

    title: str
    part: str
    left: bool = False


@dataclass(frozen=True)
class Table:
    """Words for each row of each section (entries, unranked, foreign, scale). notes: why rows failed, miss or were
    skipped."""

    title: str
    fields: list[Field]
    sections: dict[str, list[list[str]]]
    captions: list[str]
    notes: list[str] = field(default_factory=list)

    def only(self, keep: Callable[[Field], bool]) -> Table:
        """The same table with some of its columns."""
        at = [i for i, column in enumerate(self.fields) if keep(column)]
        sections = {name: [[row[i] for i in at] for row in rows] for name, rows in self.sections.items()}
        return Table(self.title, [self.fields[i] for i in at], sections, self.captions, self.notes)


def title(board: Leaderboard) -> str:
    """The suite's title with its tier and the kind of table."""
    suite = board.suite
    conditional = board.frame.loc[~board.frame["section"].isin(["foreign", "scale"]), "conditional"]
    kind = f"{plain(suite['table'])}, conditional" if len(conditional) and conditional.all() else plain(suite["table"])
    return f"{plain(suite['title'])} · {plain(suite['tier'])} ({kind})"


def table(board: Leaderboard, aligned: bool = False) -> Table:
    """The words of a leaderboard; columns that say nothing are left out. aligned: numbers padded for a terminal."""
    shown = board.frame[board.frame["section"].isin(["entries", "unranked", "foreign", "scale"])]
    shared = _shared(board)
    columns = [(head, words) for head, words in _columns(board, shown, aligned, shared) if _says(words)]
    fields = [head for head, _ in columns]
    sections: dict[str, list[list[str]]] = {}
    for at, section in enumerate(shown["section"]):
        sections.setdefault(section, []).append([words[at] for _, words in columns])
    captions = [f"Scores: {shared[0]} features, {shared[1]} samples unless a column says otherwise."] if shared else []
    captions += [plain(line) for line in board.captions]
    if len(board.columns) > 1 and (shown["n"] >= MIN_SEEDS).any():
        captions.append(
            "Other columns: the mean over seeds, geometric where scores are positive; intervals are in the CSV."
        )
    if any(head.part == "score" and FEWER in word for head, words in columns for word in words):
        captions.append(f"{FEWER}k): the mean of k seeds only; the others of the row have no such score.")
    return Table(title(board), fields, sections, captions, list(_notes(board.frame)))


def _says(words: list[str]) -> bool:
    return any(word not in ("", NOTHING) for word in words)


def _columns(
    board: Leaderboard, rows: pd.DataFrame, aligned: bool, shared: tuple[str, str] | None
) -> Iterator[tuple[Field, list[str]]]:
    yield Field("Rank", "name"), [_rank(row) for row in rows.to_dict("records")]
    yield Field("Entry", "name", left=True), [_entry(row) for row in rows.to_dict("records")]
    headline, *others = board.columns
    yield Field(_arrow(headline, shared), "headline", left=True), headline_words(rows, aligned)
    for column in others:
        yield Field(_arrow(column, shared), "score"), _scores(board, column, rows)
    yield Field("Level", "quality", left=True), [plain(level) for level in rows["level"]]
    yield Field("Seeds", "quality", left=True), [_seeds(row) for row in rows.to_dict("records")]
    yield Field("Class TV", "sanity"), [_share(value) for value in rows["histogram_tv"]]
    yield Field("Confidence", "sanity"), [_share(value) for value in rows["confidence"]]
    yield Field("images/s", "cost"), [whole(value) for value in rows["images_per_second"]]
    yield Field("Train s", "cost"), [whole(value) for value in rows["seconds"]]
    yield Field("Memory", "cost"), [quantity(value, BYTES) for value in rows["peak_memory_bytes"]]
    yield Field("G size", "cost"), [quantity(value) for value in rows["parameters_G"]]
    yield Field("D size", "cost"), [quantity(value) for value in rows["parameters_D"]]
    modes = [plain(row["mode"]) if row["section"] != "foreign" else "" for row in rows.to_dict("records")]
    yield Field("Mode", "cost", left=True), modes if len({*modes} - {""}) > 1 else [""] * len(modes)


def _shared(board: Leaderboard) -> tuple[str, str] | None:
    """The extractor that all columns share, and the headline's sample count; None where they differ."""
    titles = [plain(column.title).split("/") for column in board.columns]
    if any(len(parts) != 3 for parts in titles) or len({parts[1] for parts in titles}) > 1:
        return None
    return titles[0][1], titles[0][2]


def _arrow(column: Column, shared: tuple[str, str] | None) -> str:
    title = plain(column.title)
    if shared:
        name, _, samples = title.split("/")
        title = name if samples == shared[1] else f"{name}/{samples}"
    return arrow(column, title)


def arrow(column: Column, title: str) -> str:
    """A column's title with the direction in which scores are better."""
    return f"{title} {({'lower': '↓', 'higher': '↑'}).get(column.direction, '')}".strip()


def _share(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else NOTHING


def whole(value: float) -> str:
    """A rate or a time."""
    return number(value, 0 if math.isfinite(value) and abs(value) >= 100 else None)


def _entry(row: dict[str, Any]) -> str:
    mark = "foreign" if row["section"] == "foreign" else row["role"]
    return plain(f"{row['label']} ({mark})" if mark else row["label"])


def _rank(row: dict[str, Any]) -> str:
    if math.isnan(row["rank_low"]):
        return ""
    low, high = int(row["rank_low"]), int(row["rank_high"])
    return str(low) if low == high else f"{low}–{high}"


def _seeds(row: dict[str, Any]) -> str:
    if row["section"] == "scale":
        return f"{row['missing']} missing" if row["missing"] else ""
    if row["section"] == "foreign" and not row["seeds"]:
        return "unknown"
    found = {"failed": row["diverged"] + row["degenerate"], "missing": row["missing"]}
    apart = ", ".join(f"{number} {what}" for what, number in found.items() if number)
    return f"{row['n']} ({apart})" if apart else str(row["n"])


def mark(status: str, value: str) -> str:
    """A seed's value, with a mark where the method failed."""
    return DIVERGED if status == "diverged" else value + (DEGENERATE if status == "degenerate" else "")


def headline_words(rows: pd.DataFrame, aligned: bool) -> list[str]:
    """The seeds' values below three; centre [low, high] from three; median and values once a seed failed."""
    entries = rows[rows["section"] != "scale"]
    places = decimals([*entries["centre"], *entries["median"]])
    cells = []
    for row in rows.to_dict("records"):
        own = None if row["section"] == "scale" else places
        found = zip(row["statuses"], row["values"], strict=True)
        values = [mark(status, number(value, own)) for status, value in found]
        if row["section"] != "scale" and row["n"] >= MIN_SEEDS and not row["diverged"] + row["degenerate"]:
            bounds = (row["low"], row["high"]) if math.isfinite(row["low"]) else ()
            cells.append([number(row["centre"], own), *(number(bound, own) for bound in bounds)])
        elif row["section"] != "scale" and row["n"] >= MIN_SEEDS:
            median = number(row["median"], own) if math.isfinite(row["median"]) else DIVERGED
            cells.append([f"median {median} of {' · '.join(values)}"])
        else:
            cells.append([" · ".join(values) or NOTHING])
    return [_interval(cell, _widths(cells) if aligned else (0, 0, 0)) for cell in cells]


def _widths(cells: list[list[str]]) -> tuple[int, ...]:
    whole = [cell for cell in cells if len(cell) == 3]
    single = [len(cell[0].partition(" ")[0]) for cell in cells if len(cell) < 3 and not cell[0].startswith("median")]
    return tuple(max([len(cell[i]) for cell in whole] + (single if i == 0 else []), default=0) for i in range(3))


def _interval(cell: list[str], widths: tuple[int, ...]) -> str:
    if len(cell) == 3:
        centre, low, high = (part.rjust(width) for part, width in zip(cell, widths, strict=True))
        return f"{centre} [{low}, {high}]"
    first, space, rest = cell[0].partition(" ")
    return cell[0] if first == "median" else first.rjust(widths[0]) + space + rest


def _scores(board: Leaderboard, column: Column, rows: pd.DataFrame) -> list[str]:
    mine = board.scores[board.scores["column"] == column.name]
    places = decimals(mine.loc[mine["section"] != "scale", "centre"])
    found = {place: seeds.to_dict("records") for place, seeds in mine.groupby(["section", "position"])}
    return [_score(row, found.get((row["section"], row["position"]), []), places) for row in rows.to_dict("records")]


def _score(row: dict[str, Any], seeds: list[dict[str, Any]], places: int | None) -> str:
    if row["section"] == "scale":
        return " · ".join(number(seed["value"]) for seed in seeds) or NOTHING
    if row["n"] < MIN_SEEDS:
        values = [mark(seed["status"], number(seed["value"], places)) for seed in seeds if seed["status"] in _FINISHED]
        return " · ".join(values) if any(value != NOTHING for value in values) else NOTHING
    centre = number(seeds[0]["centre"], places) if seeds else NOTHING
    if centre == NOTHING:
        return centre
    failed, measured = row["diverged"] + row["degenerate"], int(seeds[0]["n"])
    fewer = f" {FEWER}{measured})" if measured < row["n"] - failed else ""
    return centre + SURVIVORS * bool(failed) + fewer


def _notes(frame: pd.DataFrame) -> Iterator[str]:
    for row in frame.to_dict("records"):
        if row["section"] == "skipped":
            yield f"Skipped: {plain(row['label'])} ({plain(row['reason']) or 'no reason given'})"
        elif row["reason"]:
            lacking = "Not scored" if row["section"] == "foreign" else "Missing"
            what = "Failed" if row["diverged"] + row["degenerate"] else lacking
            yield f"{what}: {plain(row['label'])} ({plain(row['reason'])})"
