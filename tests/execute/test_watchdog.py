"""What hangs is ended and says where; what gets on is left alone, however clocks go."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganbench.errors import UsageError
from ganbench.execute.child import Child
from ganbench.execute.folders import prepare, survey
from ganbench.execute.local import run
from ganbench.execute.scorer import Scorer, ScoringFailed
from ganbench.execute.slot import Doors, Slot
from ganbench.execute.watchdog import Watchdog, hang_seconds
from ganbench.record.pulse import Pulse, last_beat

from .conftest import TOY, Planner

SLEEP = ["-n1", "-r1", "-s", "import time", "time.sleep({})"]


def sleeper(folder: Path, seconds: float) -> Child:
    with (folder / "log").open("wb") as log:
        return Child("timeit", [*SLEEP[:-1], SLEEP[-1].format(seconds)], threads=1, cores=None, log=log)


def test_a_process_without_a_sign_of_life_is_ended_and_says_where_it_was(tmp_path: Path) -> None:
    child = sleeper(tmp_path, 60)
    with Watchdog(child, tmp_path, 0.2, first=3.0) as watchdog:
        assert child.wait() < 0
    assert watchdog.hung and watchdog.reason.startswith("hung: no sign of life for 3 s")
    assert "most recent call first" in (tmp_path / "log").read_text()


def test_a_process_that_gets_on_is_left_alone(tmp_path: Path) -> None:
    child, beating = sleeper(tmp_path, 1.5), threading.Event()

    def beat() -> None:
        pulse = Pulse(tmp_path, every=0.0)
        while not beating.wait(0.05):
            pulse.beat()

    thread = threading.Thread(target=beat)
    thread.start()
    with Watchdog(child, tmp_path, 1.0) as watchdog:
        assert child.wait() == 0
    beating.set()
    thread.join()
    assert not watchdog.hung


def test_a_clock_that_jumps_and_a_machine_that_sleeps_end_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every look at the clock finds it an hour later."""
    child, hours = sleeper(tmp_path, 1.5), itertools.count(step=3600)
    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: float(next(hours)))
        with Watchdog(child, tmp_path, 60.0) as watchdog:
            assert child.wait() == 0
    assert not watchdog.hung


def test_a_pulse_beats_once_in_a_while(tmp_path: Path) -> None:
    seldom, often = Pulse(tmp_path, every=60.0), Pulse(tmp_path, every=0.0)
    assert last_beat(tmp_path) is None
    seldom.beat()
    first = last_beat(tmp_path)
    assert first is not None
    seldom.beat()
    assert last_beat(tmp_path) == first
    while last_beat(tmp_path) == first:
        often.beat()


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "0"])
def test_how_long_to_wait_is_a_number(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GANBENCH_HANG_SECONDS", text)
    with pytest.raises(UsageError, match=r"GANBENCH_HANG_SECONDS=.*: must be a number of seconds"):
        hang_seconds()


@pytest.fixture
def hanging(tmp_path: Path, toy_plan: Planner, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("GANBENCH_HANG_SECONDS", "8")
    plan = toy_plan(losses=("toy-critic",), hangs=True)
    yield next(f for f in prepare(survey(plan, tmp_path)) if "toy-linear" in f.name)


def test_a_run_that_hangs_is_a_row_with_its_traceback(hanging: Path) -> None:
    outcomes = run([hanging], [Slot(doors=Doors([str(TOY)]))], lambda event: None)
    assert [(o.status, o.lost) for o in outcomes] == [("timeout", True)]
    assert "no sign of life for 8 s" in str(outcomes[0].reason)
    log = (hanging / "run.log").read_text()
    assert 'toy.py", line' in log and "in forward" in log
    assert not (hanging / ".pulse").exists()


def test_a_scoring_that_hangs(hanging: Path) -> None:
    """It has no time even to start."""
    (hanging / "trained.json").touch()
    scorer = Scorer(["-p", str(TOY)], threads=1, cores=None, hang_seconds=0.05)
    with pytest.raises(ScoringFailed, match="hung: no sign of life") as failed:
        scorer.score(hanging)
    assert failed.value.status == "timeout"
    scorer.close()
