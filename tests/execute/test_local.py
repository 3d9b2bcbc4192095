"""Whole commands that lose a run, are interrupted, and are given again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganbench.errors import UsageError
from ganbench.execute.folders import prepare, survey
from ganbench.execute.forkserver import ForkServer
from ganbench.execute.local import Event, run, stopped_as_by_ctrl_c
from ganbench.execute.slot import Doors, Slot
from ganbench.execute.watchdog import Watchdog
from ganbench.plan.build import Plan, plan
from ganbench.plan.data import resolve_data
from ganbench.plan.entries import Wishes
from ganbench.plan.suite import read_suite
from ganbench.plugins import load

from .conftest import TOY, Planner, Program

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")


def wait(command: subprocess.Popen[str], condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Until the condition holds; the command must not end before."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert command.poll() is None, command.communicate()
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)


def read(file: Path) -> dict[str, object]:
    value: dict[str, object] = json.loads(file.read_text())
    return value


def test_a_killed_run_is_a_row_and_the_same_command_completes_it(program: Program) -> None:
    words = ("--loss", "toy-critic", "--architecture", "toy-linear", "--seeds", "0..1", "--set", "delay=0.1")
    command = program.start(*words)
    wait(command, lambda: any(f.stat().st_size for f in program.home.glob("toy-linear*-s0-*/events.jsonl")))
    victim = next(pid for pid, line in program.children().items() if "toy-linear" in line and "-s0-" in line)
    os.kill(victim, signal.SIGKILL)
    _, told = command.communicate(timeout=180)
    assert command.returncode == 1, told
    errors = list(program.home.glob("*/error.json"))
    assert [e.parent.name[:18] for e in errors] == ["toy-linear-toy-cri"]
    error = read(errors[0])
    assert (error["status"], error["seed"], error["kind"]) == ("killed", 0, "trained")
    assert "SIGKILL" in str(error["reason"])
    assert isinstance(error["last_step"], int)
    results = {r.parent.name: r.read_bytes() for r in program.home.glob("*/result.json")}
    assert len(results) == 2, "the row of the scale and the other seed"

    again = program.start(*words, "--format", "json")
    out, told = again.communicate(timeout=180)
    assert again.returncode == 0, told
    assert "1 run to do (2 left as they are)" in told
    assert not list(program.home.glob("*/error.json"))
    assert {r.parent.name: r.read_bytes() for r in program.home.glob("*/result.json")}.items() > results.items()
    assert json.loads(out)[0]["suite"]["id"] == "toy-tiny", "stdout holds JSON and nothing else"


def test_a_broken_metric_takes_no_scores_away(program: Program, tmp_path: Path) -> None:
    words = ("--loss", "toy-critic", "--architecture", "toy-linear")
    command = program.start(*words)
    table, told = command.communicate(timeout=180)
    assert command.returncode == 0, told
    kept = {f: f.read_bytes() for name in ("result.json", "spec.json") for f in program.home.glob(f"*/{name}")}
    assert len(kept) == 4
    plugin = tmp_path / "broken.py"
    plugin.write_text(
        "from ganbench import Column, Metric, hookimpl\n\n\n@hookimpl\ndef ganbench_metrics():\n"
        "    yield Metric('silent', ('samples',), lambda *given: {}, (Column('silence', 'lower'),))\n"
    )
    command = program.start(*words, "-p", str(plugin), "--metric", "silent")
    again, told = command.communicate(timeout=180)
    assert command.returncode == 1 and "gave no value for silence" in told
    assert "2 runs not scored anew, so the scores from before stand" in told
    assert again.endswith(table.partition("\n")[2]), "the table is as it was"
    assert (
        "present scores of 2 runs go, for this command does not ask for them: gap/toy-identity; "
        "`ganbench evaluate --run RUN --metric silent` adds to them instead\n"
    ) in again
    assert {f: f.read_bytes() for f in kept} == kept
    assert len(list(program.home.glob("*/error.json"))) == 2, "why, and they hide nothing"
    with Path("/dev/full").open("w") as full:
        command = program.start(*words, "-p", str(plugin), "--metric", "silent", stdout=full)
        _, told = command.communicate(timeout=180)
    assert command.returncode == 2 and told.splitlines()[-1] == "ganbench: No space left on device"
    assert {f: f.read_bytes() for f in kept} == kept, "and where the plan itself cannot be told"
    command = program.start(*words, "--dry-run")
    plan, _ = command.communicate(timeout=60)
    assert "0 runs to do (2 left as they are)" in plan


def test_ctrl_c_leaves_no_process_and_keeps_what_is_done(program: Program) -> None:
    command = program.start("--loss", "toy-critic", "--architecture", "toy-linear", "--set", "delay=1.0")
    wait(
        command,
        lambda: list(program.home.glob("toy-linear*/events.jsonl")) and list(program.home.glob("*/result.json")),
    )
    command.send_signal(signal.SIGINT)
    _, told = command.communicate(timeout=60)
    assert command.returncode == 130, told
    assert "the same command goes on from there" in told
    assert "Traceback" not in told
    assert not program.children()
    assert not list(program.home.glob("toy-linear*/result.json"))
    assert {read(e)["status"] for e in program.home.glob("*/error.json")} == {"interrupted"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_scheduler_or_a_closed_terminal_is_a_ctrl_c(number: int) -> None:
    def ignored(number: int, frame: object) -> None:
        """As nohup has it."""

    before = signal.getsignal(number)
    try:
        signal.signal(number, signal.SIG_DFL)
        with pytest.raises(KeyboardInterrupt), stopped_as_by_ctrl_c():
            os.kill(os.getpid(), number)
            time.sleep(5)
        assert signal.getsignal(number) == signal.SIG_DFL
        signal.signal(number, ignored)
        with stopped_as_by_ctrl_c():
            os.kill(os.getpid(), number)
            time.sleep(0.01)
        assert signal.getsignal(number) is ignored
    finally:
        signal.signal(number, before)


def test_a_broken_component_loses_its_own_row_only(tmp_path: Path, toy_plan: Planner) -> None:
    good, bad = toy_plan(losses=("toy-critic",)), toy_plan(losses=("toy-critic",), fails=True)
    folders = [
        f
        for plan in (bad, good)
        for f in prepare(survey(plan, tmp_path))
        if "toy-linear" in f.name and not (f / "result.json").exists()
    ]
    events: list[Event] = []
    slot = Slot(doors=Doors([str(TOY)]))
    lost, won = run(folders, [slot], events.append)
    assert (lost.status, lost.folder, lost.lost) == ("crashed", folders[0], True)
    assert "the toy is broken" in str(lost.reason)
    assert "\n" not in str(lost.reason)
    assert "beyond repair" in (folders[0] / "run.log").read_text(), "the whole traceback is in the log"
    assert (won.status, won.folder) == ("completed", folders[1])
    assert [(e.folder, e.outcome is None) for e in events] == [(f, b) for f in folders for b in (True, False)]
    assert slot.finish(folders[1]) == won, "a result that is there stands"


KEYED = """
from ganbench import Loss, hookimpl

def discriminator(D, real, fake, recipe):
    return D(fake) - D(real) + recipe["margin"]

@hookimpl
def ganbench_losses():
    yield Loss("keyed", discriminator, lambda D, fake: -D(fake), recipe={"margin": 2.0})
"""


def test_an_own_recipe_key_without_the_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "keyed.py").write_text(KEYED)
    doors = [str(TOY), str(tmp_path / "keyed.py")]
    registry, suite = load(doors), read_suite(TOY.with_suffix(".toml"))
    tier = suite.tier(None)
    wishes = Wishes(("toy-linear",), ("keyed",))
    made = plan(suite, tier, registry, resolve_data(suite, tier, registry), device="cpu", wishes=wishes)
    folder = prepare(survey(made, tmp_path / "runs"))[-1]
    (lost,) = run([folder], [Slot(doors=Doors(doors))], lambda event: None)
    assert str(lost.reason) == (
        "KeyError: 'margin' (keyed.py, line 5); a component's own key carries its name: write 'keyed.margin', in its "
        "recipe and in its code"
    )


def test_a_folder_that_was_tampered_with_is_lost_without_a_process(tmp_path: Path, toy_plan: Planner) -> None:
    folder = prepare(survey(toy_plan(), tmp_path))[0]
    spec = json.loads((folder / "spec.json").read_text())
    (folder / "spec.json").write_text(json.dumps({**spec, "seed": 7}))
    outcomes = run([folder], [Slot()], lambda event: None)
    assert [o.status for o in outcomes] == ["crashed"]
    assert "was edited" in str(outcomes[0].reason)


def test_runs_of_a_shared_device_say_so(tmp_path: Path, toy_plan: Planner) -> None:
    """Down to the record, which keeps such rates out of tables."""
    folders = prepare(survey(toy_plan(losses=("toy-critic",)), tmp_path))
    (folder,) = [f for f in folders if "toy-linear" in f.name]
    (outcome,) = run([folder], [Slot(doors=Doors([str(TOY)]), shared=True)], lambda event: None)
    assert outcome.status == "completed", outcome.reason
    throughput = read(folder / "result.json")["throughput"]
    assert isinstance(throughput, dict) and throughput["shared_device"] is True


def trained_folders(plan: Plan, out: Path) -> list[Path]:
    """The prepared folders of the runs that train, without those that are skipped."""
    work = [w for w in survey(plan, out) if w.spec.kind == "trained" and not w.spec.skip]
    return prepare(work)


def test_a_machine_without_threads_loses_a_run_and_not_the_rest(
    tmp_path: Path, toy_plan: Planner, server: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong in the harness itself, every folder has an outcome, and no child is left behind."""
    start, children = threading.Thread.start, []

    def refuses(thread: threading.Thread) -> None:
        if thread.name == "watchdog" and not children:
            children.append(thread._watchdog._child.process.pid)  # type: ignore[attr-defined]
            raise RuntimeError("can't start new thread")
        start(thread)

    def watched(self: Watchdog, *arguments: Any) -> None:
        init(self, *arguments)
        self._thread._watchdog = self  # type: ignore[attr-defined]

    init = Watchdog.__init__
    monkeypatch.setattr(Watchdog, "__init__", watched)
    monkeypatch.setattr(threading.Thread, "start", refuses)
    first, second = trained_folders(toy_plan(), tmp_path)
    lost, won = run([first, second], [Slot(doors=Doors([str(TOY)]), forks=server)], lambda event: None)
    assert (lost.folder, lost.status, lost.reason) == (first, "crashed", "RuntimeError: can't start new thread")
    assert read(first / "error.json")["reason"] == lost.reason and "Traceback" in (first / "run.log").read_text()
    assert (won.folder, won.status) == (second, "completed"), won.reason
    assert not Path(f"/proc/{children[0]}").exists()


def test_slots_for_which_there_is_no_thread(tmp_path: Path, toy_plan: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    start, begun = threading.Thread.start, []

    def refuses(thread: threading.Thread) -> None:
        begun.append(thread)
        if len(begun) > most:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuses)
    (folder,) = prepare([w for w in survey(toy_plan(), tmp_path) if w.spec.skip][:1])
    most = 1
    assert [o.status for o in run([folder], [Slot(), Slot()], lambda event: None)] == ["skipped"]
    begun, most = [], 0
    with pytest.raises(UsageError, match="nothing can be run here: can't start new thread"):
        run([folder], [Slot()], lambda event: None)


@pytest.mark.parametrize("name", ["\udcff", "two\nlines", "größer"])
def test_a_folder_of_any_name_is_scored(tmp_path: Path, toy_plan: Planner, server: ForkServer, name: str) -> None:
    """Bytes that are no UTF-8 are a name, too."""
    folder, *_ = trained_folders(toy_plan(), tmp_path / name)
    (outcome,) = run([folder], [Slot(doors=Doors([str(TOY)]), forks=server)], lambda event: None)
    assert outcome.status == "completed", outcome.reason


def test_a_full_disk_costs_words_of_the_log_and_no_result(
    tmp_path: Path, toy_plan: Planner, server: ForkServer
) -> None:
    folder, *_ = trained_folders(toy_plan(), tmp_path)
    slot = Slot(doors=Doors([str(TOY)]), forks=server)
    assert slot.finish(folder).status == "completed"
    assert (folder / "run.log").read_text().endswith("measured\n")
    (folder / "result.json").unlink()
    (folder / "run.log").unlink()
    (folder / "run.log").symlink_to("/dev/full")
    assert slot.finish(folder).status == "completed"
    slot.close()


def test_checkpoints_that_a_killed_process_left_go_with_the_end_of_the_run(
    tmp_path: Path, toy_plan: Planner, server: ForkServer
) -> None:
    """It was killed between the last word of training and their removal."""
    folder, *_ = trained_folders(toy_plan(), tmp_path)
    slot = Slot(doors=Doors([str(TOY)]), forks=server)
    assert slot.finish(folder).status == "completed"
    (folder / "result.json").unlink()
    for name in ("checkpoint.safetensors", "checkpoint-previous.safetensors"):
        (folder / name).touch()
    assert slot.finish(folder).status == "completed"
    slot.close()
    assert not list(folder.glob("checkpoint*"))
