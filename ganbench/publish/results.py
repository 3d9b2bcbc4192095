"""Publishing: run folders and their tables copied to where they are committed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from ganbench.errors import UsageError
from ganbench.publish import csv, html, latex, markdown, overview
from ganbench.publish.again import PUBLISH, commands
from ganbench.publish.grids import small_grid
from ganbench.publish.provenance import facts
from ganbench.publish.text import plain
from ganbench.rank import Leaderboard, Record, find_runs, from_records, load_records, read_record
from ganbench.record.files import write_atomic, write_text_atomic

RUN_BYTES = 200_000
"""Most bytes that a published run may have."""
TABLE, PAGE, SITE, LATEX = "leaderboard.csv", "LEADERBOARD.md", "index.html", "leaderboard.tex"
TIMES, EQUAL = "times.csv", "equal.csv"
"""The files of one suite's tables; the last two where early looks give some."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]{0,119}")


def publish(dirs: Iterable[str | Path], to: str | Path) -> list[Path]:
    """Copies every finished run under `dirs` to `to`/<suite>/<run folder> and writes that suite's tables beside them.

    The tables hold what was published there before, too. Pages above the suites list them, unless somebody else wrote
    what has their names there. Returns the files written, in their order.
    """
    places, home = [Path(place) for place in dirs], Path(to)
    written: list[Path] = []
    suites: dict[str, None] = {}
    for folder in find_runs(places):
        record = read_record(folder)
        if record is not None:
            suites[_name(record["suite"]["id"], folder)] = None
            if (folder / "result.json").is_file():
                written += _copy(folder, record, home)
    records = load_records([*places, *(home / suite for suite in suites if (home / suite).is_dir())])
    for suite in sorted(suites):
        mine = [record for record in records if record["suite"]["id"] == suite]
        made = pages(mine, home / suite)
        for name, text in made.items():
            write_text_atomic(home / suite / name, text)
            written.append(home / suite / name)
        for name in {TIMES, EQUAL} - set(made):  # what was there of fewer records says nothing of these
            (home / suite / name).unlink(missing_ok=True)
    if home.is_dir():
        for name, text in overview.overview(suites_in(home)).items():
            if overview.is_own(home / name):
                write_text_atomic(home / name, text)
                written.append(home / name)
    return written


def suites_in(home: Path) -> list[Path]:
    """The folders of a place that hold the tables of a suite."""
    named = [folder for folder in home.iterdir() if _NAME.fullmatch(folder.name)]
    return sorted(folder for folder in named if (folder / TABLE).is_file() or (folder / PAGE).is_file())


def _copy(folder: Path, record: Record, home: Path) -> list[Path]:
    target = _target(home / record["suite"]["id"], _name(folder.resolve().name, folder), record, folder)
    found = [folder / name for name in ("spec.json", "result.json") if (folder / name).is_file()]
    if (size := sum(file.stat().st_size for file in found)) > RUN_BYTES:
        raise UsageError(f"{folder}: spec.json and result.json have {size} bytes, a run may publish {RUN_BYTES}")
    files = {file.name: _read(file) for file in found}
    picture = folder / "samples.png"
    if record["kind"] != "scale" and picture.is_file() and not picture.is_symlink():
        grid = small_grid(picture)
        if grid is not None and size + len(grid) <= RUN_BYTES:
            files["samples.png"] = grid
    for name, data in files.items():
        if not (target / name).is_file() or (target / name).read_bytes() != data:
            _write(target / name, data)
    return [target / name for name in files]


def _target(home: Path, name: str, record: Record, folder: Path) -> Path:
    """Where a run goes: where it lies already, else the first free of a few names. Another run, or the same one from
    another machine, keeps its place."""
    run, machine = which = _which(record)
    tag = machine if _NAME.fullmatch(machine) and len(machine) <= 20 else _short_hash([machine])
    places = [home / f"{name[:80]}{end}" for end in (name[80:], f"-{tag}", f"-{_short_hash([run, machine])}")]
    there = {place: _published(place) for place in places}
    if found := [place for place in places if there[place] == which] or [p for p in places if there[p] is None]:
        return found[0]
    raise UsageError(f"{folder}: {', '.join(p.name for p in places)} are other runs in {home}; rename the folder")


def _short_hash(words: list[str]) -> str:
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:12]


def _which(record: Record) -> tuple[str, str]:
    return record["run_id"], (record.get("environment") or {}).get("machine") or ""


def _published(place: Path) -> tuple[str, str] | None:
    """Which run lies in a published folder, and of which machine; None where there is none, or it is damaged."""
    try:
        record = read_record(place)
    except UsageError:
        return None
    return None if record is None else _which(record)


def _write(file: Path, data: bytes) -> None:
    write_atomic(file, lambda out: out.write(data))


def _read(file: Path) -> bytes:
    if file.is_symlink():
        raise UsageError(f"{file}: is a link; publish copies only files that lie in the run's folder")
    return file.read_bytes()


def _name(name: str, folder: Path) -> str:
    """A suite's id or a run's folder as one safe path component."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{folder}: {plain(name)!r} is no name for a folder; use letters, digits, `.`, `_` and `-`")
    return name


def pages(records: list[Record], home: Path) -> dict[str, str]:
    """The tables of one suite's records, by file name. home: the suite's published folder, whose grids are shown."""
    boards = from_records(records)
    more = {TIMES: csv.render_times(boards), EQUAL: csv.render_equal(boards)}
    more = {name: text for name, text in more.items() if text}
    words = {TIMES: "times to quality", EQUAL: "equal spend"}
    around = html.Surroundings(
        links={TABLE: "CSV", **{name: words[name] for name in more}, LATEX: "LaTeX", PAGE: "Markdown"},
        samples=list(_grids(records, home)),
        commands=[*commands(records), PUBLISH],
        facts=facts(environment for board in boards for environment in board.environments),
    )
    return {
        TABLE: csv.render(boards),
        PAGE: _markdown(boards, around),
        SITE: html.render(boards, around),
        LATEX: latex.render(boards),
        **more,
    }


def _markdown(boards: list[Leaderboard], around: html.Surroundings) -> str:
    page = [f"# {markdown.escape(boards[0].suite['title'])}", "", markdown.render(boards)]
    page += ["## How to make it again", "", "```sh", *around.commands, "```", ""]
    if around.facts:
        lines = [f"- {markdown.escape(key)}: {markdown.escape(values)}" for key, values in around.facts.items()]
        page += ["## Made with", "", *lines, ""]
    if around.samples:
        page += ["## Samples", ""]
        for label, address in around.samples:
            page += [markdown.escape(label), "", f"![{markdown.escape(label)}]({address})", ""]
    return "\n".join(page).rstrip("\n") + "\n"


def _grids(records: list[Record], home: Path) -> Iterator[tuple[str, str]]:
    """The published grids by entry and seed: in words, and the address relative to the page."""
    shown = {record["run_id"]: record for record in records}
    found: list[tuple[str, int, str]] = []
    for folder in sorted(path.parent for path in home.glob("*/samples.png")):
        record = read_record(folder)
        if record is not None and record["run_id"] in shown and record["kind"] != "scale":
            found.append((record["entry"]["label"], record["seed"], f"{quote(folder.name)}/samples.png"))
    for label, seed, address in sorted(found):
        yield plain(f"{label}, seed {seed}"), address
