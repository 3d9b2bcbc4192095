"""The runs of a plan: shown (`--dry-run`), or finished, here or by jobs."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from ganbench.cli.leaderboard import show as show_leaderboard
from ganbench.cli.planning import Planned
from ganbench.cli.terminal import as_json, columns, count, duration
from ganbench.errors import UsageError, one_line
from ganbench.execute import folders
from ganbench.execute.cluster import LOGS, Given, Jobs, Orders, in_jobs
from ganbench.execute.forkserver import ForkServer
from ganbench.execute.local import Event, Stopped, stopped_as_by_ctrl_c
from ganbench.execute.local import run as run_locally
from ganbench.execute.lock import SuiteLock
from ganbench.execute.sharing import most_at_once
from ganbench.execute.slot import LEFT, Outcome, Slot
from ganbench.execute.slots import seconds_left
from ganbench.execute.tickets import Ticket
from ganbench.plan.spec import TRAINED
from ganbench.publish.live import Live
from ganbench.record.files import read_json

Conclusion = Callable[[Sequence[folders.Planned]], None]
"""What is made of runs when they have ended."""


def show(planned: Planned, out: Path, resume: str, json: bool) -> int:
    """Print the plan and write nothing."""
    runs = folders.survey(planned.plan, out, resume)
    if json:
        typer.echo(as_json(_plan(planned, runs, out)))
        return 0
    typer.echo(_opening(planned, runs, out))
    for notice in _notices(planned, runs):
        typer.echo(one_line(notice))
    rows = [("LABEL", "SEED", "RUN", "STATE", "")]
    rows += [
        (r.spec.entry["label"], str(r.spec.seed), r.spec.run_id, "todo" if r.todo else r.state, _remark(r))
        for r in runs
    ]
    typer.echo(columns(rows))
    return 0


def run(planned: Planned, out: Path, resume: str, json: bool, then: Conclusion | None = None) -> int:
    """Finish the plan's runs and print the leaderboard; the program's exit code. then: in place of the leaderboard."""
    home, engine = folders.suite_folder(planned.plan, out), planned.engine
    if engine is not None:
        engine.ready()
    with SuiteLock(home) as lock, ForkServer() as forks, stopped_as_by_ctrl_c():
        runs = folders.survey(planned.plan, out, resume)
        todo = [r.folder for r in runs if r.todo]
        held = in_jobs(todo)
        mine = {f: given for f, given in held.items() if engine is not None and given.ticket.engine == engine.name}
        free = [folder for folder in todo if folder not in held]
        typer.echo(_opening(planned, runs, out), err=json)
        for notice in [*_notices(planned, runs), *_in_jobs(held)]:
            typer.echo(one_line(notice), err=json)
        slots = _slots(planned, runs, free, lock, forks, resume) if engine is None else []
        specs = {r.folder: r.spec for r in runs}
        with Live(len(free) + len(mine), len(slots), Console(stderr=True), _pace(planned)) as live:

            def tell(event: Event) -> None:
                spec = specs[event.folder]
                if event.outcome is None:
                    live.started(event.folder, spec.entry["label"], spec.seed, spec.kind == TRAINED and not spec.skip)
                else:
                    live.finished(event.folder, event.outcome.status, event.outcome.reason, event.seconds)

            try:
                folders.prepare(runs)  # after the last word that may find no room: from here on results are set aside
                if engine is None:
                    outcomes = run_locally(free, slots, tell, again=resume == "all")
                else:
                    skipped = [folder for folder in free if specs[folder].skip]
                    outcomes = run_locally(skipped, [Slot()], tell, again=resume == "all")
                    jobs = Jobs(engine, home / LOGS, tell, live.note)
                    jobs.adopt(mine)
                    _submit(jobs, [f for f in free if f not in skipped], planned, resume, live)
                    if planned.detach:
                        live.say("the same command without --detach waits for them, and shows the leaderboard")
                        return 0
                    outcomes += jobs.follow()
            except KeyboardInterrupt as stop:
                done = sum((folder / "result.json").exists() for folder in todo)
                lasting = engine is not None and engine.lasting and isinstance(stop, Stopped)
                after = "" if engine is None else ", its jobs go on" if lasting else ", its jobs are cancelled"
                live.say(
                    f"interrupted{after}: {done} of {count(len(todo), 'run')} done; the same command goes on from there"
                )
                return 130
            finally:
                kept = folders.put_back(folder for folder in todo if Ticket.read(folder) is None)
    outcomes += [Outcome(folder, LEFT) for folder in todo if folder in held and folder not in mine]
    left = [outcome for outcome in outcomes if outcome.status == LEFT]
    lost = [outcome for outcome in outcomes if outcome.lost and outcome not in left]
    if then:
        then(runs)
    else:
        show_leaderboard([home], "json" if json else "text")
    if lost:
        typer.echo(f"ganbench: {_losses(lost, len(runs))}", err=True)
    if kept:
        typer.echo(f"ganbench: {count(len(kept), 'run')} not scored anew, so the scores from before stand", err=True)
    if left:
        whom = f"{count(len(left), 'run')} left to other processes, which are at work on them"
        typer.echo(f"ganbench: {whom}; the same command later does what is missing then", err=True)
    return int(bool(lost or left))


def _slots(
    planned: Planned,
    runs: Sequence[folders.Planned],
    todo: Sequence[Path],
    lock: SuiteLock,
    forks: ForkServer,
    resume: str,
) -> list[Slot]:
    """Of this machine, as many as the runs need and as its GPUs hold."""
    most = most_at_once(_results(runs)) if planned.devices.kind == "cuda" else None
    taken = planned.devices.taken(len(todo), most)
    if len(taken) < (wanted := len(planned.devices.taken(len(todo)))):
        typer.echo(f"{len(taken)} runs at a time, not {wanted}: finished ones say that a GPU holds no more", err=True)
    return [
        Slot(
            device,
            doors=planned.doors,
            held=(lock.descriptor,),
            forced=resume == "forced",
            shared=shared,
            forks=forks,
        )
        for device, shared in taken
    ]


def _submit(jobs: Jobs, todo: Sequence[Path], planned: Planned, resume: str, live: Live) -> None:
    assert planned.engine is not None
    device = "cuda:0" if planned.devices.kind == "cuda" else "cpu"  # of those that a job is given
    orders = Orders(planned.doors, device, planned.per_job, again=resume == "all", forced=resume == "forced")
    names = jobs.submit(todo, orders)
    if names:
        which = names[0] + (f" … {names[-1]}" if len(names) > 1 else "")
        live.say(f"submitted {count(len(names), 'job')} to {planned.engine.title}: {which}; they print to {jobs.logs}")


def _in_jobs(held: Mapping[Path, Given]) -> list[str]:
    """A line about runs that are in jobs already."""
    names = list(dict.fromkeys(given.job for given in held.values()))
    which = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return [f"{count(len(held), 'run')} in jobs that were submitted before: {which}"] if held else []


def _notices(planned: Planned, runs: Sequence[folders.Planned]) -> list[str]:
    each = dict.fromkeys(run.notice for run in runs if run.notice)
    return [*planned.plan.notices, *each, *folders.leaving(runs)]


def _results(runs: Sequence[folders.Planned]) -> list[dict[str, Any]]:
    """What finished runs left, where it can be read."""
    found = []
    for file in (run.folder / "result.json" for run in runs if not run.todo):
        with contextlib.suppress(UsageError):
            found.append(read_json(file))
    return found


def _opening(planned: Planned, runs: Sequence[folders.Planned], out: Path) -> str:
    """Where it writes, how much there is to do, and how long that takes."""
    todo = [r for r in runs if r.todo]
    done = len(runs) - len(todo)
    facts = [f"{count(len(todo), 'run')} to do" + (f" ({done} left as they are)" if done else "")]
    if skipped := sum(r.spec.skip is not None for r in runs):
        facts.append(f"{skipped} skipped")
    jobs = "" if planned.engine is None else f"{planned.engine.title} ({planned.devices.kind})"
    where = f" on {jobs or planned.devices}" if todo else ""
    seconds = _seconds(planned, runs)
    about = f", about {duration(seconds)}" if seconds else ""
    return one_line(f"{folders.suite_folder(planned.plan, out)}: {', '.join(facts)}{where}{about}")


def _seconds(planned: Planned, runs: Sequence[folders.Planned]) -> float | None:
    """Estimated wall-clock seconds of what is left; scoring alone is not counted."""
    left = [r.spec.kind for r in runs if r.todo and r.state != folders.STALE and not r.spec.skip]
    trained = left.count(TRAINED)
    return seconds_left(trained, len(planned.devices.slots), _pace(planned), len(left) - trained)


def _pace(planned: Planned) -> float:
    """Seconds of one run, measured on a CPU core; 0 where that says nothing."""
    return planned.tier.seconds_per_run if planned.devices.kind == "cpu" and planned.engine is None else 0.0


def _remark(run: folders.Planned) -> str:
    if run.spec.skip:
        return f"skipped: {run.spec.skip}"
    return {folders.FAILED: "an attempt was lost", folders.STALE: "to be scored again"}.get(run.state, "")


def _plan(planned: Planned, runs: Sequence[folders.Planned], out: Path) -> dict[str, object]:
    return {
        "suite": planned.plan.suite_id,
        "folder": str(folders.suite_folder(planned.plan, out)),
        "device": planned.devices.kind,
        "slots": list(planned.devices.slots),
        "seconds": _seconds(planned, runs),
        "notices": _notices(planned, runs),
        "runs": [
            {
                "run_id": r.spec.run_id,
                "kind": r.spec.kind,
                "label": r.spec.entry["label"],
                "seed": r.spec.seed,
                "folder": str(r.folder),
                "state": r.state,
                "todo": r.todo,
                "skip": r.spec.skip,
            }
            for r in runs
        ],
    }


def _losses(lost: Sequence[Outcome], runs: int) -> str:
    kinds = ", ".join(f"{n} {status}" for status, n in sorted(Counter(o.status for o in lost).items()))
    return one_line(
        f"{len(lost)} of {count(runs, 'run')} lost ({kinds}); the same command tries again; "
        f"see error.json and run.log in {', '.join(str(o.folder) for o in lost[:3])}{', …' if len(lost) > 3 else ''}"
    )
