"""A recorded run repeated in a folder of its own, and compared with its record."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from ganbench.cli.loading import load
from ganbench.cli.planning import slots
from ganbench.cli.terminal import as_json
from ganbench.errors import UsageError, one_line
from ganbench.execute.folders import named
from ganbench.execute.local import run as run_locally
from ganbench.execute.local import stopped_as_by_ctrl_c
from ganbench.execute.slot import Doors, Slot
from ganbench.plan.repeat import repeatable
from ganbench.plan.spec import RunSpec
from ganbench.rank import Record, read_record
from ganbench.record.files import read_json
from ganbench.verify.repetition import INCONSISTENT, Verdict, judge
from ganbench.verify.runs import read


def reproduce(run: Path, out: Path | None, doors: Doors, json: bool) -> int:
    """Repeat, print and return the program's exit code."""
    spec = named(run)
    known, found = read(run, published=False)
    wrong = next((finding for finding in found if finding.problem), None)
    if known.record is None and wrong is not None:
        raise UsageError(f"{wrong.where}: {wrong.what}")
    if known.record is None or known.record["status"] not in ("completed", "diverged"):
        raise UsageError(f"{run}: has no result to compare with; give the folder of a finished run")
    name = f"{spec.entry['label']}, seed {spec.seed}"
    if wrong is not None:
        _tell(name, Verdict(INCONSISTENT, f"in itself: {wrong.where.name} {wrong.what}", (), ()), [], json)
        return 1
    planned, notes = repeatable(spec, load(doors.plugins, doors.directories))
    (device,) = slots(spec.device, 1).slots
    with stopped_as_by_ctrl_c(), _place(planned, out) as folder:
        typer.echo(one_line(f"{name}: repeating it"), err=True)
        made, lost = _repeat(planned, folder, Slot(device, doors=doors))
        if made is None:
            typer.echo(one_line(f"ganbench: the repetition failed: {lost}"), err=True)
            return 1
        notes += [f"not scored: {lost}"] if lost else []
        verdict = judge(known.record, made, _seeds(run, known.record), (run / "events.jsonl", folder / "events.jsonl"))
    _tell(name, verdict, notes, json)
    return int(verdict.word == INCONSISTENT)


@contextlib.contextmanager
def _place(spec: RunSpec, out: Path | None) -> Iterator[Path]:
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ganbench-"))) if out is None else out
        folder = home / spec.suite["id"] / spec.folder
        if folder.exists():
            raise UsageError(f"{folder}: is there already; name another --out")
        try:
            folder.mkdir(parents=True)
            spec.write(folder)
        except OSError as error:
            raise UsageError(f"{folder}: cannot be written ({error.strerror}); name another --out") from None
        yield folder


def _repeat(spec: RunSpec, folder: Path, slot: Slot) -> tuple[dict[str, Any] | None, str | None]:
    """What the repetition left: a record; only what training says, if scoring failed; or nothing. And why."""
    (outcome,) = run_locally([folder], [slot], lambda event: None)
    if not outcome.lost:
        return read_json(folder / "result.json"), None
    if (folder / "trained.json").is_file():
        return {"suite": spec.suite, **read_json(folder / "trained.json"), "looks": []}, outcome.reason
    return None, f"{outcome.status}: {outcome.reason}"


def _seeds(run: Path, record: Record) -> list[Record]:
    """The finished records of the same entry beside a run, itself among them; what cannot be read is passed over."""
    found = [record]
    for folder in sorted(run.resolve().parent.iterdir()):
        if folder == run.resolve() or not (folder / "result.json").is_file():
            continue
        with contextlib.suppress(UsageError):
            other = read_record(folder)
            same = other and (other["suite"]["id"], other["entry"]["key"]) == (
                record["suite"]["id"],
                record["entry"]["key"],
            )
            if other and same and other["seed"] != record["seed"]:
                found.append(other)
    return found


def _tell(name: str, verdict: Verdict, notes: list[str], json: bool) -> None:
    first = verdict.first
    if json:
        answer = {
            "run": name,
            "verdict": verdict.word,
            "why": verdict.why,
            "first": first and vars(first),
            "compared": [vars(c) for c in verdict.compared],
            "surroundings": list(verdict.surroundings),
            "notes": notes,
        }
        typer.echo(as_json(answer))
        return
    typer.echo(one_line(f"{name}: {verdict.word}: {verdict.why}"))
    if first:
        equal = sum(c.differs is None for c in verdict.compared)
        typer.echo(one_line(f"  first difference: {first.what}: {first.differs}"))
        typer.echo(f"  {equal} of {len(verdict.compared)} things compared are equal")
    for line in [*verdict.surroundings, *notes]:
        typer.echo("  " + one_line(line))
