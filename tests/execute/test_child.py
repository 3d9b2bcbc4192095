"""Children: how an end is read, and that none outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganbench.execute.child import Child, ending, environment
from ganbench.execute.scorer import last_line

SLEEP = ["-n1", "-r1", "-s", "import time", "time.sleep(60)"]
PARENT = """
import sys
from ganbench.execute.child import Child
with open(sys.argv[1], "wb") as log:
    child = Child("timeit", sys.argv[2:], threads=1, cores=None, log=log)
    print(child.process.pid, flush=True)
    child.wait()
"""


@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        (1, "ValueError: no", ("crashed", "ValueError: no")),
        (3, "", ("crashed", "ended with exit code 3 and said nothing")),
        (-9, "step 7", ("killed", "killed by SIGKILL (out of memory?)")),
        (-15, "", ("killed", "killed by SIGTERM")),
        (-11, "Fatal Python error", ("crashed", "crashed with SIGSEGV: Fatal Python error")),
    ],
)
def test_endings(code: int, said: str, expected: tuple[str, str]) -> None:
    assert ending(code, said) == expected


def test_threads_are_pinned_and_modules_stay_within_reach() -> None:
    made = environment(3)
    assert {made[n] for n in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")} == {"3"}
    assert (made["PYTHONHASHSEED"], made["CUBLAS_WORKSPACE_CONFIG"]) == ("0", ":4096:8")
    assert all(os.path.isabs(p) for p in made["PYTHONPATH"].split(os.pathsep))


def test_a_childs_words_go_to_the_log(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        cores = (min(os.sched_getaffinity(0)),)
        say = "import os; print(sorted(os.sched_getaffinity(0)))"
        assert Child("timeit", ["-n1", "-r1", say], threads=1, cores=cores, log=log).wait() == 0
        assert Child("timeit", ["-n1", "-r1", "1/0"], threads=1, cores=None, log=log).wait() == 1
    text = (tmp_path / "log").read_bytes()
    assert text.splitlines()[0].decode() == str(list(cores))
    assert last_line(text + b"\n  \n") == "ZeroDivisionError: division by zero"


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "log"), *SLEEP],
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
    deadline = time.monotonic() + 15
    while alive(child):
        assert time.monotonic() < deadline, "an orphan goes on"
        time.sleep(0.1)


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
