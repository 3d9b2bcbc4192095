"""Run folders on disk: which runs of a plan are done, and what a resume policy makes of the rest."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ganbench.errors import UsageError, nearest
from ganbench.execute.lock import CHILDREN, NAMES, Busy, RunLock, unusable
from ganbench.execute.slot import clear
from ganbench.plan.build import Plan
from ganbench.plan.spec import TRAINED, RunSpec
from ganbench.record.files import Unreadable, read_json
from ganbench.record.head import EARLIER, EARLIER_SPEC

POLICIES = ("missing", "failed", "forced", "all", "never")
DONE, FAILED, OPEN, STALE = "done", "failed", "open", "stale"
BROKEN = "result-broken.json"
"""Where a result is kept that cannot be read, once its run is done again."""


@dataclass(frozen=True)
class Planned:
    """One run of a plan and its folder.

    state: `"done"` (it has a result), `"failed"` (an attempt was lost), `"open"` (neither), `"stale"` (its result says
    something else than what the plan asks for now, about scores or the table; training stands). todo: whether it runs.
    asked_as: the label that the plan gives it, where the same run lies there under another one, which it keeps. broken:
    whether it has a result that cannot be read, which counts as none. leaving: the columns in which a stale result has
    values, and of which the plan asks nothing: they go with it.
    """

    spec: RunSpec
    folder: Path
    state: str
    todo: bool
    asked_as: str | None = None
    broken: bool = False
    leaving: tuple[str, ...] = ()

    @property
    def notice(self) -> str | None:
        """A line for the user, where there is something to say."""
        if self.broken and self.todo:
            return f"{self.folder}: its result.json cannot be read; made again, that one becomes {BROKEN}"
        if self.asked_as is None:
            return None
        return f"{self.asked_as} is the same run as {self.spec.entry['label']}, under whose name it lies and stays"


def named(folder: Path) -> RunSpec:
    """The specification of a run that somebody named by its folder. The error tells which runs there are."""
    if (folder / "spec.json").is_file():
        return RunSpec.read(folder)
    inside = sorted(str(file.parent) for file in folder.glob("*/spec.json"))
    if inside:
        raise UsageError(f"{folder}: is a folder of {len(inside)} runs; name one of them, as {inside[0]}")
    beside = {file.parent.name for file in folder.absolute().parent.glob("*/spec.json")}
    hint = nearest(folder.name, beside) if beside else "the folders in a suite's folder are runs"
    raise UsageError(f"{folder}: is no run's folder; {hint}")


def suite_folder(plan: Plan, out: Path) -> Path:
    """Where the runs of a plan lie."""
    return out / plan.suite_id


def survey(plan: Plan, out: Path, resume: str = "missing") -> list[Planned]:
    """How every run of a plan stands, and whether the policy has it run. Writes nothing.

    resume: `"missing"` and `"forced"` (see `Slot`) run whatever lacks a result, `"failed"` only lost attempts, `"all"`
    everything again, `"never"` refuses a folder that is not empty.
    """
    if resume not in POLICIES:
        raise UsageError(f"--resume {resume}: must be one of {', '.join(POLICIES)}")
    home = suite_folder(plan, out)
    try:
        if resume == "never" and home.exists() and any(p.name not in NAMES for p in home.iterdir()):
            raise UsageError(
                f"{home}: is not empty, and --resume never was given; name another --out, or say --resume missing"
            )
        there = _by_run(home)
        found = [_found(spec, home, there) for spec in plan.runs]
        states = [_state(spec, folder) for spec, folder in found]
    except OSError as error:
        raise unusable(home, error) from None
    missing = {OPEN, FAILED, STALE}
    wanted = {"missing": missing, "forced": missing, "failed": {FAILED}}.get(resume, missing | {DONE})
    runs = [
        Planned(
            spec,
            folder,
            state,
            todo=state in wanted,
            asked_as=None if spec is asked else asked.entry["label"],
            broken=state in (OPEN, FAILED) and (folder / "result.json").exists(),
            leaving=_leaving(spec, folder) if state == STALE else (),
        )
        for asked, (spec, folder), state in zip(plan.runs, found, states, strict=True)
    ]
    for run in runs:
        if run.todo and resume != "all":
            _has_enough(run)
    return runs


def leaving(runs: Iterable[Planned]) -> list[str]:
    """A line for the user where scores go that are there, and how they are kept."""
    mine = [run for run in runs if run.todo and run.leaving]
    if not mine:
        return []
    columns = dict.fromkeys(column for run in mine for column in run.leaving)
    asked = mine[0].spec.asked
    words = [f"--{option} {name}" for option in ("extractor", "metric") for name in asked.get(option) or ()]
    return [
        f"present scores of {len(mine)} run{'s' * (len(mine) > 1)} go, for this command does not ask for them: "
        f"{', '.join(columns)}; `ganbench evaluate --run RUN {' '.join(words) or '--metric NAME'}` adds to them instead"
    ]


def _leaving(spec: RunSpec, folder: Path) -> tuple[str, ...]:
    with contextlib.suppress(UsageError):
        scores = read_json(folder / "result.json").get("scores")
        found = [score for score in scores if isinstance(score, dict)] if isinstance(scores, list) else []
        columns = dict.fromkeys(str(score.get("column")) for score in found if score.get("value") is not None)
        return tuple(column for column in columns if column not in spec.suite["columns"])
    return ()


def _by_run(home: Path) -> dict[str, Path]:
    """Folders by what a run's name ends with: its seed and the beginning of its id."""
    folders = home.iterdir() if home.is_dir() else ()
    return {"-".join(folder.name.rsplit("-", 2)[1:]): folder for folder in folders}


def _found(spec: RunSpec, home: Path, there: Mapping[str, Path]) -> tuple[RunSpec, Path]:
    """A run and its folder. One that lies there already under another label (a setting spelt out that the tier has
    anyway) keeps it, since the same id is the same work."""
    folder = home / spec.folder
    other = there.get("-".join(spec.folder.rsplit("-", 2)[1:]))
    if folder.exists() or other is None:
        return spec, folder
    with contextlib.suppress(UsageError):
        if (known := RunSpec.read(other)).run_id == spec.run_id:
            return replace(spec, entry=known.entry, recipe=known.recipe), other
    return spec, folder


def _has_enough(run: Planned) -> None:
    """Refuse to score fewer samples than are wanted: those that training left are all there are."""
    if run.spec.kind != TRAINED or not (run.folder / "trained.json").exists():
        return
    said = _said(run.folder).get("score")
    drawn, wanted = said.get("samples") if isinstance(said, dict) else None, run.spec.score["samples"]
    if isinstance(drawn, int) and drawn < wanted:
        raise UsageError(
            f"{run.folder}: its training left {drawn:,} samples, and {wanted:,} are wanted now; --resume all makes "
            "them and trains every run of this command anew, without this folder only this one is"
        )


def prepare(work: Sequence[Planned]) -> list[Path]:
    """Write the specifications of what is to run, and set stale results aside; the folders, in order.

    A folder that another process is at work on stays as it is.
    """
    todo = [planned for planned in work if planned.todo]
    try:
        for planned in todo:
            with contextlib.suppress(Busy), RunLock(planned.folder):
                _prepare(planned)
    except OSError as error:
        raise unusable(Path(error.filename or todo[0].folder), error) from None
    return [planned.folder for planned in todo]


def _prepare(planned: Planned) -> None:
    folder, result = planned.folder, planned.folder / "result.json"
    if _said(folder).get("run_id") not in (None, planned.spec.run_id):
        clear(folder)
    if _put_back(folder) and _state(planned.spec, folder) == DONE:
        return  # a command that was killed had set aside what this one asks for
    if result.exists() and not _readable(result):
        result.replace(folder / BROKEN)
    elif result.exists() and _state(planned.spec, folder) == STALE:
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(folder / "spec.json", folder / EARLIER_SPEC)
        result.replace(folder / EARLIER)
    planned.spec.write(folder)


def put_back(folders: Iterable[Path]) -> list[Path]:
    """Results that `prepare` set aside stand again, with their specifications, wherever no new one was made; of which
    folders. An `error.json` of the attempt stays beside them, and says why there is no new one."""
    back = []
    for folder in filter(_set_aside, folders):
        with contextlib.suppress(Busy), RunLock(folder, CHILDREN):
            if _put_back(folder):
                back.append(folder)
    return back


def _set_aside(folder: Path) -> bool:
    """Whether the only result of a folder is one that was set aside, and what it answers is known."""
    return not (folder / "result.json").exists() and all((folder / f).is_file() for f in (EARLIER_SPEC, EARLIER))


def _put_back(folder: Path) -> bool:
    if not _set_aside(folder):
        return False
    (folder / EARLIER_SPEC).replace(folder / "spec.json")
    (folder / EARLIER).replace(folder / "result.json")
    return True


def _state(spec: RunSpec, folder: Path) -> str:
    result = folder / "result.json"
    if result.exists() and _readable(result):
        said = _said(folder)
        return DONE if _question(said) == _question(spec.json()) else STALE
    return FAILED if (folder / "error.json").exists() else OPEN


def _readable(result: Path) -> bool:
    """Whether a file holds a record at all. One of a newer version does, and is not this program's to replace."""
    try:
        read_json(result)
    except Unreadable:
        return False
    except UsageError:
        return True
    return True


def _question(said: Mapping[str, object]) -> dict[str, object]:
    """What a specification has measured and shown. The command that asked for it changes no answer."""
    return {k: v for k, v in said.items() if k not in ("schema_version", "asked")}


def _said(folder: Path) -> dict[str, object]:
    """The specification that lies in a folder; empty where there is none that can be read."""
    try:
        return read_json(folder / "spec.json")
    except UsageError:
        return {}
