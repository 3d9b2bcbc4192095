"""Samples of another program, or of a finished run, through the scoring process and into a record."""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from ganbench.api import Extractor
from ganbench.cli.loading import load
from ganbench.cli.planning import find_suite, slots
from ganbench.cli.run_info import score_row
from ganbench.cli.terminal import as_json, columns
from ganbench.errors import UsageError, one_line
from ganbench.execute import folders
from ganbench.execute.local import run as run_locally
from ganbench.execute.local import stopped_as_by_ctrl_c
from ganbench.execute.lock import SuiteLock, remove_empty
from ganbench.execute.slot import Doors, Outcome, Slot
from ganbench.plan.foreign import Known, plan_foreign, protocol, suite_of
from ganbench.plan.rescore import plan_rescoring
from ganbench.plan.scoring import Choice
from ganbench.plan.spec import RunSpec
from ganbench.publish.scoring import ScoringDisplay
from ganbench.rank import Record, leaderboards, read_record
from ganbench.reading.form import LAYOUTS
from ganbench.record.files import read_json
from ganbench.record.schema import RUN_FILES
from ganbench.score import foreign, rescore
from ganbench.verify import Finding
from ganbench.verify.repetition import ROUNDING
from ganbench.verify.runs import Run


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    samples: Path | None
    run: Path | None
    dataset: str | None
    suite: str | None
    tier: str | None
    labels: Path | None
    layout: str | None
    range: str | None
    extractors: tuple[str, ...]
    metrics: tuple[str, ...]
    name: str | None
    seed: int | None
    out: Path
    device: str
    plugins: tuple[str, ...]
    plugins_dirs: tuple[Path, ...]
    json: bool

    @property
    def choice(self) -> Choice:
        """What is measured instead of what the suite, or the run, says."""
        return Choice(self.extractors, self.metrics)


def evaluate(asked: Request) -> int:
    """Score, print and return the program's exit code."""
    if (asked.samples is None) == (asked.run is None):
        raise UsageError("give --samples DIR|FILE with --dataset NAME, or --run RUN")
    if asked.run is not None:
        alone = ("dataset", "suite", "tier", "labels", "layout", "range", "name", "seed")
        if given := [f"--{option}" for option in alone if getattr(asked, option) is not None]:
            raise UsageError(f"{', '.join(given)}: not with --run, whose record says it")
    with stopped_as_by_ctrl_c():
        if asked.run is not None:
            return _again(asked, asked.run)
        assert asked.samples is not None
        return _foreign(asked, asked.samples)


def _foreign(asked: Request, place: Path) -> int:
    bounds = _bounds(asked.range)
    if asked.layout not in (None, *LAYOUTS):
        raise UsageError(f"--layout {asked.layout}: must be one of {', '.join(LAYOUTS)}")
    name = one_line(place.resolve().stem if asked.name is None else asked.name)
    if not name:
        raise UsageError("--name: a row needs a name that can be printed")
    if asked.suite is None and asked.dataset is None:
        raise UsageError("--samples wants --dataset NAME (or --suite NAME): what are they compared with?")
    registry = load(asked.plugins, asked.plugins_dirs)
    own = asked.dataset is None
    suite = find_suite(registry, asked.suite, own) if asked.suite else suite_of(registry, str(asked.dataset))
    found = slots(asked.device, 1)
    how = protocol(registry, suite, asked.tier, asked.dataset, asked.choice, found.kind)
    form = how.dataset.spec
    given = foreign.read_given(place, form, how.tier.samples, labels=asked.labels, layout=asked.layout, bounds=bounds)
    extractors: list[Extractor] = [e.record for e in how.scoring.extractors]
    if reason := foreign.refusal(given, form, extractors):
        raise UsageError(f"{place}: {reason}; make them fit first (how images are resized changes scores)")
    known = Known(name, asked.seed, given.sha256, len(given.x), given.y is not None)
    plan = plan_foreign(how, known, found.kind)
    (spec,) = plan.runs
    home = folders.suite_folder(plan, asked.out)
    fresh = [place for place in (home, asked.out) if not place.exists()]
    with SuiteLock(home) as lock:
        work = folders.survey(plan, asked.out)
        (folder,) = [planned.folder for planned in work]
        before = {file: file.read_bytes() for file in map(folder.joinpath, RUN_FILES) if file.is_file()}
        slot = Slot(found.slots[0], doors=_doors(asked, plan.weights), held=(lock.descriptor,))
        try:
            for ready in folders.prepare(work):
                foreign.write_given(spec, ready, given)
            outcome = _finish(slot, folder)
        finally:
            folders.put_back([folder])
        empty = "" if outcome.lost else _nothing(read_json(folder / "result.json"))
        if empty:
            _take_back(folder, before)
    if empty:
        for made in fresh:
            remove_empty(made)
        raise UsageError(f"{place}: {empty}")
    scale = f"suite {how.suite.name}, tier {how.tier.name}"
    opening = f"{name}: {len(given.x):,} of {given.total:,} samples against {spec.score['dataset']}, as {scale}"
    if outcome.lost:
        return _lost(outcome)
    record = read_json(folder / "result.json")
    where = _where(home, spec.entry["label"], len(given.x), how.tier.samples)
    closing = f"{folder}: `ganbench leaderboard {asked.out}` shows it {where}"
    notes = [*given.notes, *plan.notices, *folders.leaving(work)]
    _tell(asked, opening, notes, record["scores"], folder, closing)
    return 0


def _again(asked: Request, run: Path) -> int:
    spec = folders.named(run)
    read_record(run)  # one that is not sound is refused before anything is measured
    registry = load(asked.plugins, asked.plugins_dirs)
    found = slots(asked.device, 1)
    plan = plan_rescoring(spec, registry, asked.choice, found.kind)
    with rescore.staged(run, plan.runs[0]) as stage, SuiteLock(run.resolve().parent) as lock:
        slot = Slot(found.slots[0], doors=_doors(asked, plan.weights), held=(lock.descriptor,))
        outcome = _finish(slot, stage)
        if outcome.lost:
            return _lost(replace(outcome, reason=_own(outcome.reason or "", stage, run)))
        measured = read_json(stage / "result.json")
        if empty := _nothing(measured):
            raise UsageError(f"{run}: {empty}")
        compared = rescore.add(run, measured)
    notes = [
        f"{now['column']} ({now['variant']}): recorded {was['value']}, measured now {now['value']}; the record stays"
        for was, now in compared.changed
    ]
    if compared.same:
        notes.append(f"{len(compared.same)} measured again, equal to what the record has")
    closing = f"{run}: {len(compared.new)} scores added" if compared.new else f"{run}: nothing new, left as it is"
    opening = f"{spec.entry['label']}, seed {spec.seed}"
    _tell(asked, opening, [*plan.notices, *notes], list(compared.new), run, closing)
    return 0


def measured_again(runs: Iterable[Run], doors: Doors) -> Iterator[Finding]:
    """Stored samples scored once more, as recorded: what of a record does not follow from them."""
    slot = Slot(doors=doors)
    try:
        with stopped_as_by_ctrl_c():
            for run in runs:
                if run.spec is not None and run.record is not None and run.record["status"] == "completed":
                    yield from _once_more(run.folder, run.spec, run.record, slot)
    finally:
        slot.close()


def _once_more(folder: Path, spec: RunSpec, record: Record, slot: Slot) -> Iterator[Finding]:
    try:
        with rescore.staged(folder, spec) as stage:
            outcome = slot.finish(stage)
            if outcome.lost:
                raise UsageError(_own(outcome.reason or outcome.status, stage, folder))
            compared = rescore.compare(record, read_json(stage / "result.json"))
    except UsageError as error:
        yield Finding(folder, f"not measured again: {error}", False)
        return
    for was, now in compared.changed:
        if not math.isclose(was["value"], now["value"], rel_tol=ROUNDING, abs_tol=ROUNDING):
            what = f"{was['value']} in the record, its samples give {now['value']}"
            yield Finding(folder / "result.json", f"{was['column']} of {was['variant']}: {what}")


def _take_back(folder: Path, before: Mapping[Path, bytes]) -> None:
    """Leave a folder as it was, which is not at all where nothing was there."""
    if not before:
        shutil.rmtree(folder)
        return
    (folder / "result.json").unlink()
    for file, data in before.items():
        file.write_bytes(data)


def _nothing(record: Mapping[str, Any]) -> str:
    """Why a record has no value at all; nothing where it has one."""
    scores = record.get("scores") or []
    if any(score["value"] is not None for score in scores):
        return ""
    reasons = dict.fromkeys(f"{score['column']}: {score['skipped']}" for score in scores)
    return f"no score has a value, so nothing was written ({'; '.join(reasons) or 'nothing was asked for'})"


def _where(home: Path, label: str, given: int, wanted: int) -> str:
    """In which table a row stands."""
    with contextlib.suppress(UsageError):
        for board in leaderboards([home]):
            mine = board.section("foreign")["label"]
            if len(mine) < len(board.frame) and any(name.startswith(label) for name in mine):
                return "with the suite's rows"
    why = f"{given:,} of the tier's {wanted:,} samples" if given < wanted else "no run there is measured like this"
    return f"in a table of its own ({why})"


def _own(words: str, stage: Path, run: Path) -> str:
    """What is said of the folder that a run was scored in, said of the run's own."""
    return words.replace(str(stage.resolve()), str(run)).replace(str(stage), str(run))


def _finish(slot: Slot, folder: Path) -> Outcome:
    with ScoringDisplay(folder, Console(stderr=True)):
        (outcome,) = run_locally([folder], [slot], lambda event: None)
    return outcome


def _doors(asked: Request, weights: Any) -> Doors:
    return Doors(asked.plugins, asked.plugins_dirs, weights)


def _bounds(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not -1e9 < low < high < 1e9:
        raise UsageError(f"--range {text}: expected the values of black and white, as in --range=-1,1")
    return low, high


def _lost(outcome: Outcome) -> int:
    typer.echo(one_line(f"ganbench: not scored: {outcome.status}: {outcome.reason}"), err=True)
    return 1


def _tell(
    asked: Request, opening: str, notes: Sequence[str], scores: list[dict[str, Any]], folder: Path, closing: str
) -> None:
    if asked.json:
        keys = ("variant", "column", "value", "sampling_error", "skipped", "direction", "n", "fingerprint")
        found = [{key: score.get(key) for key in keys} for score in scores]
        answer = {"folder": str(folder), "notes": list(notes), "scores": found}
        typer.echo(as_json(answer))
        return
    typer.echo(one_line(opening))
    for note in notes:
        typer.echo("  " + one_line(note))
    if scores:
        rows = [("COLUMN", "VARIANT", "VALUE", "SAMPLES", "SAMPLING ERROR", "")]
        rows += [score_row(score) for score in scores]
        typer.echo(columns(rows))
    typer.echo(one_line(closing))
