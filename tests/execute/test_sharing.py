"""Several workers, and `ganbench run`, on the same run folders at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ganbench.execute.child import environment
from ganbench.execute.folders import prepare, survey
from ganbench.execute.local import Event, run
from ganbench.execute.lock import RunLock
from ganbench.execute.slot import LEFT, Doors, Slot, clear

from .conftest import TOY, Planner, Program

WORKER = """
import errno, fcntl, sys
from ganbench.execute import worker
def none(*_):
    raise OSError(errno.ENOLCK, "No locks available")
if sys.argv[1] == "without":
    fcntl.flock = none
sys.exit(worker.main(sys.argv[2:]))
"""
LEAVES = "another process is at work on it"


class Workers:
    """Workers as processes of their own. locks: whether their file system has any."""

    def __init__(self, locks: str) -> None:
        self.locks, self.started = locks, list[subprocess.Popen[str]]()

    def start(self, *folders: Path) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", WORKER, self.locks, "-p", str(TOY), *map(str, folders)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.started.append(subprocess.Popen(words, text=True, env=environment(1), **pipes))
        return self.started[-1]


@pytest.fixture(params=["with", "without"])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    made = Workers(request.param)
    yield made
    for worker in made.started:
        worker.kill()
        worker.communicate()


def wait(condition: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def said(worker: subprocess.Popen[str]) -> list[str]:
    out, err = worker.communicate(timeout=120)
    assert "Traceback" not in out + err
    return (out + err).splitlines()


def trained(plan_folders: list[Path]) -> list[Path]:
    return [folder for folder in plan_folders if folder.name.startswith("toy-linear")]


def cycles(folder: Path) -> list[int]:
    """Of every poll, each of which is told of once, and in order."""
    file = folder / "events.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [event["cycle"] for event in events if event["kind"] == "progress"]


def attempts(folder: Path) -> int:
    return (folder / "run.log").read_text().count("--- ")


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """While this file is there, training stays at the 20th batch."""
    file = tmp_path / "gate"
    file.touch()
    monkeypatch.setenv("GANBENCH_TEST_GATE", str(file))
    return file


def test_a_folder_is_left_to_a_living_worker_and_taken_over_from_a_dead_one(
    workers: Workers, tmp_path: Path, toy_plan: Planner, gate: Path
) -> None:
    folders = prepare(survey(toy_plan(losses=("toy-critic",), delay=0.05), tmp_path))
    (slow,) = trained(folders)
    quick = next(folder for folder in folders if "toy-image" in folder.name)
    owner = workers.start(slow)
    wait(lambda: len(cycles(slow)) > 5)
    beside = workers.start(slow, quick)
    lines = said(beside)
    assert beside.returncode == 1
    assert lines[0].startswith(f"{quick}: skipped"), "what is free comes first"
    assert lines[1].startswith(f"{slow}: left ({LEAVES}") and len(lines) == 2
    assert not (slow / "error.json").exists()

    gate.unlink()
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    lines = [LEAVES]
    while LEAVES in lines[0]:  # on a machine with much to do the dead one's child takes longer than an heir waits
        heir = workers.start(slow)
        lines = said(heir)
    assert (lines, heir.returncode) == ([f"{slow}: completed"], 0)
    assert attempts(slow) == 2, "the owner's and the heir's"
    assert cycles(slow) == list(range(1, 41))
    assert not list(slow.glob("*unfinished*")) and not list(slow.glob(".lease*"))


def test_a_worker_and_a_command_leave_each_other_s_runs_alone(
    program: Program, toy_plan: Planner, gate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--loss", "toy-critic", "--architecture", "toy-linear", "--seeds", "0..1", "--jobs", "1")
    first, second = trained(prepare(survey(toy_plan((0, 1), ("toy-critic",)), program.out)))
    workers = Workers("with")
    worker = workers.start(first)
    wait(lambda: len(cycles(first)) > 5)
    other_gate = gate.with_name("other")
    other_gate.touch()
    monkeypatch.setenv("GANBENCH_TEST_GATE", str(other_gate))
    command = program.start(*words)
    wait(lambda: len(cycles(second)) > 5)
    beside = workers.start(second)
    assert said(beside) == [f"{second}: left ({LEAVES})"]
    assert beside.returncode == 1
    gate.unlink()
    assert said(worker) == [f"{first}: completed"]
    other_gate.unlink()
    lines = said(command)
    assert command.returncode == 0, lines
    assert (attempts(first), attempts(second)) == (1, 1)
    assert cycles(first) == cycles(second) == list(range(1, 41))

    (first / "result.json").unlink()
    with RunLock(first):
        command = program.start(*words)
        _, told = command.communicate(timeout=120)
    assert command.returncode == 1
    assert f"left after 0 s: {LEAVES}" in told
    assert "1 run left to other processes, which are at work on them; the same command later" in told
    assert "lost" not in told and not (first / "error.json").exists()


def test_who_comes_while_another_works_writes_nothing(tmp_path: Path, toy_plan: Planner) -> None:
    plan = toy_plan(losses=("toy-critic",))
    (folder,) = trained(prepare(survey(plan, tmp_path)))
    (folder / "spec.json").write_text("its owner's")
    with RunLock(folder):
        before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
        prepare(survey(plan, tmp_path, "all"))
        events: list[Event] = []
        began = time.monotonic()
        (outcome,) = run([folder], [Slot(doors=Doors([str(TOY)]))], events.append, again=True)
        assert time.monotonic() - began > 4, "the children of a killed owner may still be there"
        assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()} == before
    assert (outcome.status, outcome.lost, outcome.reason) == (LEFT, True, LEAVES)
    assert [event.outcome for event in events] == [None, outcome]
    prepare(survey(plan, tmp_path, "all"))
    clear(folder)
    assert {path.name for path in folder.iterdir()} == {"spec.json", ".lock"}


def test_a_result_that_comes_meanwhile_is_the_outcome(
    tmp_path: Path, toy_plan: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganbench.execute.local.CHILDREN", 0.1)
    skipped = next(p for p in survey(toy_plan(), tmp_path) if p.spec.skip)
    (folder,) = [f for f in prepare([skipped])]
    with RunLock(folder):

        def finish_elsewhere(event: Event) -> None:
            if event.outcome is not None:
                assert event.outcome.status == LEFT
                Slot().finish(folder)

        outcomes = run([folder], [Slot()], finish_elsewhere)
    assert [(o.status, o.lost) for o in outcomes] == [("skipped", False)]


def test_a_folder_that_cannot_be_locked_is_one_lost_run(tmp_path: Path, toy_plan: Planner) -> None:
    folder = next(folder for folder in prepare(survey(toy_plan(), tmp_path)) if "toy-image" in folder.name)
    (folder / ".lock").unlink()
    (folder / ".lock").mkdir()
    (outcome,) = run([folder], [Slot()], lambda event: None)
    assert outcome.status == "crashed" and "cannot be used" in str(outcome.reason)
