"""Run folders in the jobs of an engine: what a job does, what a command sees of it, and what comes of a lost one.

The jobs are those of submitit's executor for one machine, or of an engine that only says how they stand.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ganbench.cli import main
from ganbench.errors import UsageError
from ganbench.execute import cluster, engines, slurm, worker
from ganbench.execute.cluster import LOGS, Jobs, Orders, in_jobs
from ganbench.execute.engines import State
from ganbench.execute.folders import prepare, survey
from ganbench.execute.forkserver import ForkServer
from ganbench.execute.local import Event, Stopped
from ganbench.execute.lock import RunLock
from ganbench.execute.slot import LEFT, Doors, Outcome, Slot
from ganbench.execute.slurm import Worker, minutes
from ganbench.execute.tickets import NAME, Ticket
from ganbench.plan.build import Plan
from ganbench.record.head import write_lost, write_skipped

from .conftest import MARK, TOY, Planner, Program

ORDERS = Orders(Doors([str(TOY)]), "cpu")


class Told:
    """An engine that runs nothing, and says of its jobs what a test wants it to say."""

    name, title = "slurm", "Slurm"

    def __init__(self, lasting: bool = True) -> None:
        self.lasting, self.states = lasting, dict[str, State]()
        self.submitted: list[list[str]] = []
        self.cancelled: list[str] = []
        self.on_look: Callable[[], None] = lambda: None

    def kind(self, device: str) -> str:
        return "cpu"

    def ready(self) -> None: ...

    def submit(self, commands: Sequence[Sequence[str]], logs: Path) -> list[str]:
        self.submitted += map(list, commands)
        names = [f"7_{at}" for at in range(len(commands))]
        self.states |= dict.fromkeys(names, State("queued (Resources)", True))
        return names

    def look(self, jobs: Collection[str]) -> Mapping[str, State] | None:
        self.on_look()
        return self.states

    def cancel(self, jobs: Collection[str]) -> None:
        self.cancelled += jobs
        self.states = {}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """An engine whose jobs are looked at all the time."""
    for name in ("GLANCE", "SOONEST", "LATEST", "SETTLED", "CHILDREN"):
        monkeypatch.setattr(cluster, name, 0.01)
    engine = Told()
    monkeypatch.setattr(engines, "find", lambda name, *given: engine)
    return engine


def trained(plan: Plan, out: Path) -> list[Path]:
    """The prepared folders of the runs that train."""
    return prepare([w for w in survey(plan, out) if w.spec.kind == "trained" and not w.spec.skip])


def jobs_of(
    engine: engines.Engine, folders: Sequence[Path], notes: list[str] | None = None
) -> tuple[Jobs, list[Event]]:
    events: list[Event] = []
    return Jobs(engine, folders[0].parent / LOGS, events.append, (notes if notes is not None else []).append), events


def facts(folder: Path) -> dict[str, Any]:
    """What a run made: weights, scores, samples."""
    result = json.loads((folder / "result.json").read_text())
    samples = {file.name: file.read_bytes() for file in sorted((folder / "samples").glob("*.npy"))}
    return {"status": result["status"], "weights": result["weights"], "scores": result["scores"], "samples": samples}


class Here:
    """Jobs of submitit on this machine: what Slurm would start, started."""

    name, title, lasting = "slurm", "Slurm", True

    def __init__(self) -> None:
        self.jobs: dict[str, Any] = {}

    kind, ready = Told.kind, Told.ready

    def submit(self, commands: Sequence[Sequence[str]], logs: Path) -> list[str]:
        submitit = pytest.importorskip("submitit")
        executor = submitit.LocalExecutor(folder=logs)
        executor.update_parameters(timeout_min=10)
        found = executor.map_array(Worker(), [[*slurm.WORKER, *words] for words in commands])
        self.jobs |= {job.job_id: job for job in found}
        return [job.job_id for job in found]

    def look(self, jobs: Collection[str]) -> Mapping[str, State] | None:
        return {name: State("ended" if job.done() else "running", not job.done()) for name, job in self.jobs.items()}

    def cancel(self, jobs: Collection[str]) -> None:
        for name in jobs:
            self.jobs[name].cancel()


SEEDS, LOSSES, SLOW = (0, 1), ("toy-critic",), {"delay": 0.02}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, toy_plan: Planner, server: ForkServer) -> list[dict[str, Any]]:
    """What this machine makes of two runs."""
    folders = trained(toy_plan(SEEDS, LOSSES, **SLOW), tmp_path_factory.mktemp("alone"))
    slot = Slot(doors=ORDERS.doors, forks=server)
    assert [slot.finish(folder).status for folder in folders] == ["completed"] * 2
    slot.close()
    return [facts(folder) for folder in folders]


def test_jobs_make_what_this_machine_makes(
    tmp_path: Path, toy_plan: Planner, monkeypatch: pytest.MonkeyPatch, alone: list[dict[str, Any]]
) -> None:
    """Bit for bit, several runs in a job, from any folder; the pickle of a job holds the worker's words."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, filter(None, sys.path))))
    monkeypatch.chdir(tmp_path)
    folders = trained(toy_plan(SEEDS, LOSSES, **SLOW), Path("jobs"))
    jobs, events = jobs_of(Here(), folders)
    assert len(jobs.submit(folders, replace(ORDERS, per_job=2))) == 1 and len(folders) == 2
    outcomes = jobs.follow()
    assert [o.status for o in outcomes] == ["completed"] * 2, outcomes
    assert [(e.folder, e.outcome is None) for e in events] == [(f, begun) for f in folders for begun in (True, False)]
    assert not list(Path("jobs").rglob(NAME))
    assert [facts(folder) for folder in folders] == alone
    (pickle,) = (folders[0].parent / LOGS).glob("*_submitted.pkl")
    names = {word for word in pickle.read_bytes().split(b"\x8c") if b"ganbench." in word}
    assert sorted(name[1:].split(b"\x94")[0] for name in names) == [
        b"ganbench.execute.slurm",
        b"ganbench.execute.worker",
    ]


def test_a_job_whose_time_is_short_leaves_a_checkpoint_and_goes_on_from_it(
    toy_plan: Planner, program: Program, alone: list[dict[str, Any]]
) -> None:
    """Slurm tells every process of the job, and queues it again."""
    folder, _ = trained(toy_plan(SEEDS, LOSSES, **SLOW), program.home)
    Ticket("slurm", "mine", again=True).write(folder)
    command = [*slurm.WORKER, *ORDERS.words("mine", [folder])]
    environment = {**os.environ, MARK: str(program.out), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    job = subprocess.Popen(command, env=environment)
    deadline = time.monotonic() + 60
    while not (folder / "events.jsonl").exists():
        assert time.monotonic() < deadline and job.poll() is None
        time.sleep(0.05)
    for process in {job.pid, *program.children()}:
        os.kill(process, signal.SIGUSR2)
    assert job.wait(timeout=60) == 130
    error = json.loads((folder / "error.json").read_text())
    assert error["status"] == "interrupted" and (folder / "checkpoint.safetensors").exists()
    assert Ticket.read(folder) == Ticket("slurm", "mine", begun=True), "a later command waits for the job"
    assert subprocess.run(command, env=environment, timeout=100, check=False).returncode == 0
    assert Ticket.read(folder) is None
    assert facts(folder) == alone[0]


def test_a_job_leaves_what_another_one_has_the_ticket_of(tmp_path: Path, toy_plan: Planner) -> None:
    (folder,) = prepare([w for w in survey(toy_plan(), tmp_path) if w.spec.skip][:1])
    slot = worker.JobSlot("mine", "cpu")
    left = Outcome(folder, LEFT, "it is not given to this job any more")
    assert slot.finish(folder) == left
    Ticket("slurm", "of another").write(folder)
    assert slot.finish(folder) == left
    assert not (folder / "result.json").exists() and Ticket.read(folder) == Ticket("slurm", "of another")
    Ticket("slurm", "mine").write(folder)
    assert slot.finish(folder).status == "skipped" and Ticket.read(folder) is None
    assert slot.finish(folder).status == "skipped", "the job was queued again, and finds what it did"
    (folder / "samples.png").touch()
    Ticket("slurm", "mine", again=True).write(folder)
    assert slot.finish(folder).status == "skipped" and not (folder / "samples.png").exists(), "it was done again"
    for damaged in ("", "[]", "{}", '{"engine": 1, "token": "mine"}'):
        (folder / NAME).write_text(damaged)
        assert Ticket.read(folder) is None


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize(
    ("state", "status", "reason"),
    [
        (State("TIMEOUT", False, "timeout", "its job ran out of time"), "timeout", "its job ran out of time (job 7_0"),
        (State("OUT_OF_MEMORY", False, "oom", "no more memory"), "oom", "no more memory (job 7_0 of Slurm)"),
        (State("FAILED", False, "crashed"), "crashed", "job 7_0 of Slurm ended (FAILED) and left no word; "),
        (None, "killed", "job 7_0 of Slurm is gone and left no word; "),
    ],
)
def test_a_lost_job_is_a_row_with_the_reason(
    tmp_path: Path, toy_plan: Planner, told: Told, begun: bool, state: State | None, status: str, reason: str
) -> None:
    folder, *_ = trained(toy_plan(), tmp_path)
    jobs, events = jobs_of(told, [folder])
    jobs.submit([folder], ORDERS)
    ticket = Ticket.read(folder)
    assert ticket is not None and told.submitted[0][:2] == ["--ticket", ticket.token]
    replace(ticket, begun=begun).write(folder)
    (jobs.logs / "7_0_0_log.out").write_text("Starting\nNo module named ganbench\n\n")
    told.states = {} if state is None else {"7_0": state}
    (lost,) = jobs.follow()
    expected = reason if begun else f"before it began: {reason}"
    assert lost.status == status and lost.lost and str(lost.reason).startswith(expected)
    assert state is None or state.reason or str(lost.reason).endswith("7_0_0_log.out ends: No module named ganbench")
    error = json.loads((folder / "error.json").read_text())
    assert (error["status"], error["reason"], error["run_id"]) == (status, lost.reason, folder_id(folder))
    assert [e.outcome for e in events] == [None, lost] and Ticket.read(folder) is None


def folder_id(folder: Path) -> str:
    return str(json.loads((folder / "spec.json").read_text())["run_id"])


def test_what_a_run_said_of_its_end_stands_unless_it_was_ended_from_outside(
    tmp_path: Path, toy_plan: Planner, told: Told
) -> None:
    crashed, stopped = trained(toy_plan(), tmp_path)
    jobs, _ = jobs_of(told, [crashed])
    jobs.submit([crashed, stopped], ORDERS)
    for folder, status in ((crashed, "crashed"), (stopped, "interrupted")):
        write_lost(folder, {}, status, "said by the run", 3, "scoring")
        ticket = Ticket.read(folder)
        assert ticket is not None
        replace(ticket, begun=True).write(folder)
    told.states = dict.fromkeys(told.states, State("TIMEOUT", False, "timeout", "no more time"))
    one, other = sorted(jobs.follow(), key=lambda o: o.status)
    assert (one.folder, one.status, one.reason) == (crashed, "crashed", "said by the run")
    assert (other.folder, other.status, other.reason) == (stopped, "timeout", "no more time (job 7_1 of Slurm)")
    assert json.loads((stopped / "error.json").read_text())["stage"] == "scoring"


def test_a_job_that_is_queued_again_is_waited_for(tmp_path: Path, toy_plan: Planner, told: Told) -> None:
    """Its run is interrupted, and no row is lost as long as the job lives."""
    folder, *_ = trained(toy_plan(), tmp_path)
    notes: list[str] = []
    jobs, _ = jobs_of(told, [folder], notes)
    jobs.submit([folder], ORDERS)
    looks = iter(range(9))

    def look() -> None:
        at = next(looks)
        if at == 2:
            write_lost(folder, {}, "interrupted", "stopped at cycle 3", 3)
        if at == 6:
            (folder / "error.json").unlink()
            write_skipped(folder, {}, "as if done")
            (folder / NAME).unlink()

    told.on_look = look
    assert [o.status for o in jobs.follow()] == ["skipped"]
    assert notes[0] == "1 queued (Resources)"


@pytest.mark.parametrize(("lasting", "stop"), [(True, KeyboardInterrupt), (True, Stopped), (False, Stopped)])
def test_ctrl_c_cancels_the_jobs_and_a_closed_terminal_leaves_them(
    tmp_path: Path, toy_plan: Planner, told: Told, lasting: bool, stop: type[BaseException]
) -> None:
    folder, *_ = trained(toy_plan(), tmp_path)
    told.lasting = lasting
    jobs, _ = jobs_of(told, [folder])
    jobs.submit([folder], ORDERS)
    stops = iter([stop])

    def look() -> None:
        for error in stops:
            raise error

    told.on_look = look
    with pytest.raises(stop):
        jobs.follow()
    cancels = not (lasting and stop is Stopped)
    assert told.cancelled == (["7_0"] if cancels else [])
    assert (Ticket.read(folder) is None) == cancels
    assert list(in_jobs([folder])) == ([] if cancels else [folder])


def test_another_command_takes_up_the_jobs_that_are_alive(tmp_path: Path, toy_plan: Planner, told: Told) -> None:
    alive, dead = trained(toy_plan(), tmp_path)
    jobs, _ = jobs_of(told, [alive])
    assert jobs.submit([alive, dead], ORDERS) == ["7_0", "7_1"]
    del told.states["7_1"]
    held = in_jobs([alive, dead])
    assert {folder: given.job for folder, given in held.items()} == {alive: "7_0"}
    assert Ticket.read(dead) is None and Ticket.read(alive) is not None
    later, events = jobs_of(told, [alive])
    later.adopt(held)
    write_skipped(alive, {}, "as if done")
    (alive / NAME).unlink()
    assert [o.status for o in later.follow()] == ["skipped"] and len(events) == 2
    assert later.names == []


def test_a_folder_at_which_somebody_works_is_in_no_job(tmp_path: Path, toy_plan: Planner, told: Told) -> None:
    busy, free = trained(toy_plan(), tmp_path)
    jobs, _ = jobs_of(told, [busy])
    with RunLock(busy):
        assert jobs.submit([busy, free], ORDERS) == ["7_0"]
    assert Ticket.read(busy) is None
    told.states = {}
    assert {o.folder: o.status for o in jobs.follow()} == {busy: LEFT, free: "killed"}


def test_an_engine_that_takes_no_jobs_leaves_no_ticket(tmp_path: Path, toy_plan: Planner, told: Told) -> None:
    folders = trained(toy_plan(), tmp_path)
    jobs, _ = jobs_of(told, folders)

    def refuse(commands: object, logs: object) -> list[str]:
        raise UsageError("the queue is full")

    told.submit = refuse  # type: ignore[assignment]
    with pytest.raises(UsageError, match="the queue is full"):
        jobs.submit(folders, ORDERS)
    assert not list(tmp_path.rglob(NAME))


def test_tickets_of_engines_that_cannot_be_asked(
    tmp_path: Path, toy_plan: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, *_ = trained(toy_plan(), tmp_path)
    Ticket("clockwork", "x").write(folder)
    with pytest.raises(UsageError, match=r"is in a job of 'clockwork', which is unknown here; delete .*\.job"):
        in_jobs([folder])
    Ticket("slurm", "x").write(folder)
    (tmp_path / folder.parent.name / LOGS).mkdir()
    (tmp_path / folder.parent.name / LOGS / "x.name").write_text("12_3")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"is in job 12_3 of Slurm; squeue: is not here, .*; or delete .*\.job"):
        in_jobs([folder])
    Ticket("ray", "x").write(folder)
    assert in_jobs([folder]) == {} and Ticket.read(folder) is None, "tasks end with their command"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("90:30", 91), ("4:00:00", 240), ("0:00:30", 1), ("1-12", 2160), ("1-0:30", 1470), ("2-1:0:1", 2941)],
)
def test_times_as_slurm_writes_them(text: str, expected: int) -> None:
    assert minutes(text) == expected


def dry(words: str, code: int, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["run", "--suite", "smoke", "--dry-run", *words.split()])
    assert ended.value.code == code
    out, told = capsys.readouterr()
    return out, told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--ask time=1", "--ask time=1: jobs ask, and there are none on this machine; say --on slurm or --on ray"),
        ("--detach", "--detach: is for jobs, and there are none on this machine; say --on slurm, or leave it out"),
        (
            "--per-job 2",
            "--per-job 2: is for jobs, and there are none on this machine; say --on slurm, or leave it out",
        ),
        ("--on ray --detach", "--detach: Ray ends the jobs of a command that ends; leave it out"),
        ("--on slurm --jobs 0", "--jobs 0: must be at least 1"),
        (
            "--on slurm --device cuda:1",
            "--device cuda:1: which GPU a job gets is not said here; use --device cuda with --on slurm",
        ),
        ("--on slurm --device mps", "--device mps: must be auto, cpu or cuda with --on slurm"),
        (
            "--on ray --ask num_cpu=2",
            "--ask num_cpu=2: tasks of Ray have no 'num_cpu'; did you mean num_cpus, num_gpus?",
        ),
        ("--on ray --ask num_cpus=two", "--ask num_cpus=two: must be a number"),
        ("--on ray --ask num_cpus", "--ask num_cpus: expected KEY=VALUE, such as --on ray --ask num_cpus=2"),
    ],
)
def test_words_that_are_not_meant_so(words: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert dry(words, 2, capsys) == ("", f"ganbench: {told}\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("parttion=gpu", "--ask parttion=gpu: jobs of Slurm have no 'parttion'; did you mean partition"),
        ("nodes=2", "--ask nodes=2: jobs of Slurm have no 'nodes'; did you mean "),
        ("time=soon", "--ask time=soon: expected minutes, hours:minutes:seconds or days-hours"),
        ("signal_delay_s=1:00", "--ask signal_delay_s=1:00: must be a number of seconds"),
    ],
)
def test_words_that_slurm_does_not_know(words: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("submitit")
    assert dry(f"--on slurm --ask {words}", 2, capsys)[1].startswith(f"ganbench: {told}")


def test_what_jobs_ask_of_slurm() -> None:
    pytest.importorskip("submitit")
    asked = ["cpus-per-task=4", "mem=16GB", "setup=a", "setup=b=c", "exclusive=true", "sbatch.nice=5", "time=1:00:00"]
    assert slurm.parameters(asked) == {
        "cpus_per_task": 4,
        "mem": "16GB",
        "setup": ["a", "b=c"],
        "exclusive": True,
        "additional_parameters": {"nice": "5"},
        "time": 60,
    }


@pytest.mark.parametrize(("name", "library"), [("slurm", "submitit"), ("ray", "ray")])
def test_an_engine_that_is_not_installed_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["run", "--suite", "smoke", "--on", name, "--device", "cpu"])
    line = f"ganbench: --on {name}: needs {library}, which is not installed; pip install 'ganbench[{name}]'\n"
    assert (ended.value.code, capsys.readouterr().err) == (2, line)
    assert not list(tmp_path.iterdir())


def test_without_sbatch_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["run", "--suite", "smoke", "--on", "slurm"])
    told = "--on slurm: there is no sbatch here; give the command where jobs are submitted from"
    assert capsys.readouterr().err == f"ganbench: {told}\n"


def test_runs_are_planned_for_gpus_that_are_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of Slurm or Ray is needed to plan, unless a job asks for something."""
    for words in ("--on slurm --device cuda", "--on ray --device cuda"):
        out, _ = dry(f"{words} --format json", 0, capsys)
        assert json.loads(out)["device"] == "cuda"
    assert "5 runs to do on Slurm (cpu)\n" in dry("--on slurm", 0, capsys)[0]
    pytest.importorskip("submitit")
    for words in ("gpus_per_node=1", "gres=gpu:a100:1", "sbatch.gpus=1"):
        assert "on Slurm (cuda)" in dry(f"--on slurm --ask {words}", 0, capsys)[0]
