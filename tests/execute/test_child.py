"""Children, spawned and forked: how an end is read, and that none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganbench.execute.child import Child, Start, ending, environment, oom_kills, spawn
from ganbench.execute.forkserver import ForkServer, can_fork
from ganbench.execute.scorer import last_line

SLEEP = ["-n1", "-r1", "-s", "import time", "time.sleep(60)"]
PARENT = """
import sys
from ganbench.execute.child import Child, spawn
from ganbench.execute.forkserver import ForkServer
start = ForkServer().start if sys.argv[2] == "forked" else spawn
with open(sys.argv[1], "wb") as log:
    child = Child("timeit", sys.argv[3:], threads=1, cores=None, log=log, start=start)
    print(child.process.pid, flush=True)
    child.wait()
"""


@pytest.fixture(params=["spawned", "forked"])
def start(request: pytest.FixtureRequest) -> Start:
    """Each of the two ways to start a child."""
    if request.param == "spawned":
        return spawn
    if not can_fork():
        pytest.skip("this system cannot wait for what another process forked")
    server: ForkServer = request.getfixturevalue("server")
    return server.start


@pytest.mark.parametrize(
    ("code", "said", "short", "expected"),
    [
        (1, "ValueError: no", False, ("crashed", "ValueError: no")),
        (1, "ValueError: no", True, ("crashed", "ValueError: no")),
        (3, "", False, ("crashed", "ended with exit code 3 and said nothing")),
        (-9, "step 7", False, ("killed", "killed by SIGKILL")),
        (-9, "", True, ("oom", "killed by the kernel, which was out of memory: fewer --jobs, or a smaller batch_size")),
        (-15, "", False, ("interrupted", "stopped by SIGTERM")),
        (-1, "", True, ("interrupted", "stopped by SIGHUP")),
        (-11, "Fatal Python error", False, ("crashed", "crashed with SIGSEGV: Fatal Python error")),
    ],
)
def test_endings(code: int, said: str, short: bool, expected: tuple[str, str]) -> None:
    assert ending(code, said, short) == expected


def test_the_kernels_count_of_those_it_killed_for_memory(tmp_path: Path) -> None:
    file = tmp_path / "vmstat"
    file.write_text("nr_free_pages 7\noom_kill 3\noom_kill_later 9\n")
    assert oom_kills(file) == 3
    assert oom_kills(tmp_path / "nowhere") == 0
    assert oom_kills() >= 0


def test_a_process_that_has_ended_keeps_its_number_until_all_it_started_is_gone(start: Start, tmp_path: Path) -> None:
    """Until then nobody else can be given the number; from then on no signal goes to it."""
    with (tmp_path / "log").open("wb") as log:
        child = Child("timeit", ["-n1", "-r1", "pass"], threads=1, cores=None, log=log, start=start)
        pid = child.process.pid
        while not child.ended():
            time.sleep(0.01)
        assert Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        assert child.wait() == 0 and not Path(f"/proc/{pid}").exists()
        innocent = subprocess.Popen(["sleep", "60"], start_new_session=True)
        child.process.pid = innocent.pid  # as if the number had come round again
        child.signal(signal.SIGKILL)
        assert innocent.poll() is None
        innocent.kill()
        innocent.wait()


def test_threads_are_pinned_and_modules_stay_within_reach() -> None:
    made = environment(3)
    assert {made[n] for n in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")} == {"3"}
    assert (made["PYTHONHASHSEED"], made["CUBLAS_WORKSPACE_CONFIG"]) == ("0", ":4096:8")
    assert all(os.path.isabs(p) for p in made["PYTHONPATH"].split(os.pathsep))


def test_a_childs_words_go_to_the_log(start: Start, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        cores = (min(os.sched_getaffinity(0)),)
        say = "import os; print(sorted(os.sched_getaffinity(0)))"
        assert Child("timeit", ["-n1", "-r1", say], threads=1, cores=cores, log=log, start=start).wait() == 0
        assert Child("timeit", ["-n1", "-r1", "1/0"], threads=1, cores=None, log=log, start=start).wait() == 1
    text = (tmp_path / "log").read_bytes()
    assert text.splitlines()[0].decode() == str(list(cores))
    assert last_line(text + b"\n  \n") == "ZeroDivisionError: division by zero"


def test_a_child_that_is_served_hears_and_answers(start: Start, tmp_path: Path) -> None:
    echo = "import os, sys; print(sys.stdin.readline().upper(), flush=True); os._exit(7)"
    with (tmp_path / "log").open("wb") as log:
        child = Child("timeit", ["-n1", "-r1", echo], threads=1, cores=None, log=log, served=True, start=start)
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write("größer\n")
        child.stdin.flush()
        assert child.stdout.readline() == "GRÖSSER\n"
        assert child.wait() == 7


def test_a_child_dies_by_a_signal_with_all_it_started(start: Start, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+b") as log:
        own = "import os; print(os.posix_spawnp('sleep', ['sleep', '60'], os.environ), flush=True); os.abort()"
        child = Child("timeit", ["-n1", "-r1", own], threads=1, cores=None, log=log, start=start)
        assert child.wait() == -signal.SIGABRT
        log.seek(0)
        ends(int(log.readline()))


@pytest.mark.parametrize("way", ["spawned", "forked"])
def test_a_child_ends_with_its_parent(way: str, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log"), way, *SLEEP],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(1),
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.5)
    assert alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    ends(child)


def ends(pid: int) -> None:
    deadline = time.monotonic() + 15
    while alive(pid):
        assert time.monotonic() < deadline, "an orphan goes on"
        time.sleep(0.1)


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
