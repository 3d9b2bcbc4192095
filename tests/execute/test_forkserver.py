"""The fork server: what it starts is like new, and its own end costs nobody anything."""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from pathlib import Path

import pytest

from ganbench.execute.child import Child, Spawned, Start, spawn
from ganbench.execute.forkserver import Forked, ForkServer, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="this system cannot wait for what another process forked")
SLEEP = ["-n1", "-r1", "-s", "import time", "time.sleep(60)"]
STATE = """
import os, signal, sys, threading
import torch
print(*(signal.getsignal(n) in (signal.SIG_DFL, signal.default_int_handler) for n in (1, 2, 15)))
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
print(sorted(v for n, v in os.environ.items() if n.endswith("_NUM_THREADS")), sys.flags.hash_randomization)
print(sorted(os.listdir("/proc/self/fd"), key=int)[:3], len(os.listdir("/proc/self/fd")))
print(torch.get_num_threads(), torch.cuda.is_initialized(), torch.is_grad_enabled())
print(threading.active_count(), os.getsid(0) == os.getpid(), sys.argv[0], __name__)
"""


def words(start: Start, text: str, log: Path) -> str:
    with log.open("w+b") as file:
        child = Child("timeit", ["-n1", "-r1", text], threads=1, cores=None, log=file, start=start)
        assert child.wait() == 0
        file.seek(0)
        return file.read().decode().rpartition("1 loop")[0]


def test_a_forked_process_is_as_new_as_a_spawned_one(server: ForkServer, tmp_path: Path) -> None:
    assert words(server.start, STATE, tmp_path / "forked") == words(spawn, STATE, tmp_path / "spawned")


def test_several_at_a_time_each_with_an_end_of_its_own(server: ForkServer, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        children = [
            Child(
                "timeit",
                ["-n1", "-r1", "-s", "import os, time", f"time.sleep({(9 - code) / 20}); os._exit({code})"],
                threads=1,
                cores=None,
                log=log,
                start=server.start,
            )
            for code in range(8)
        ]
        assert all(isinstance(child.process, Forked) for child in children)
        codes = [-1] * len(children)

        def wait(i: int) -> None:
            codes[i] = children[i].wait()

        threads = [threading.Thread(target=wait, args=(i,)) for i in range(len(children))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert codes == list(range(8))


def test_a_server_that_was_killed_is_replaced_and_what_it_had_started_is_ended(tmp_path: Path) -> None:
    with ForkServer() as server, (tmp_path / "log").open("wb") as log:

        def start(arguments: list[str]) -> Child:
            return Child("timeit", arguments, threads=1, cores=None, log=log, start=server.start)

        child = start(SLEEP)
        assert isinstance(child.process, Forked) and not child.ended()
        os.kill(_parent(child.process.pid), signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        deadline = time.monotonic() + 15
        while Path(f"/proc/{child.process.pid}").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        after = start(["-n1", "-r1", "pass"])
        assert isinstance(after.process, Forked) and after.wait() == 0


HAS_SOMETHING_TO_SAVE = """
import os, pathlib, signal, time
def save(number, frame):
    time.sleep(0.5)
    pathlib.Path(saved).touch()
    os._exit(7)
signal.signal(signal.SIGTERM, save)
pathlib.Path(ready).touch()
time.sleep(60)
"""


def test_a_signal_to_every_process_of_a_job_leaves_time_to_save(server: ForkServer, tmp_path: Path) -> None:
    """What a batch system does at the end of its time: the server outlives it, and what it started ends by itself."""
    ready, saved = tmp_path / "ready", tmp_path / "saved"
    names = f"ready, saved = {str(ready)!r}, {str(saved)!r}"
    with (tmp_path / "log").open("wb") as log:
        words = ["-n1", "-r1", "-s", names, "-s", HAS_SOMETHING_TO_SAVE]
        child = Child("timeit", words, threads=1, cores=None, log=log, start=server.start)
        deadline = time.monotonic() + 30
        while not ready.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        parent = _parent(child.process.pid)
        assert parent != os.getpid()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            os.kill(parent, number)
        child.signal(signal.SIGTERM)
        assert child.wait() == 7 and saved.exists()
        after = Child("timeit", ["-n1", "-r1", "pass"], threads=1, cores=None, log=log, start=server.start)
        assert _parent(after.process.pid) == parent and after.wait() == 0


def test_what_nohup_has_ignored_stays_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ForkServer() as server:
            print_it = "import signal; print(signal.getsignal(1) == signal.SIG_IGN, signal.getsignal(15) == 0)"
            assert words(server.start, print_it, tmp_path / "log").strip() == "True True"
    finally:
        signal.signal(signal.SIGHUP, before)


FATAL_FORK = """
import os
fork, serves = os.fork, "ganbench.execute.forkserver" in " ".join(__import__("sys").orig_argv)
def fatal():
    if (pid := fork()) and serves:
        os.kill(os.getpid(), 9)
    return pid
os.fork = fatal
"""


def test_what_a_server_forked_with_its_last_breath_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise another would be spawned, and two would be at work on one thing."""
    (tmp_path / "sitecustomize.py").write_text(FATAL_FORK)
    monkeypatch.syspath_prepend(tmp_path)
    with ForkServer() as server, (tmp_path / "log").open("wb") as log:
        child = Child("timeit", SLEEP, threads=1, cores=None, log=log, start=server.start)
        assert isinstance(child.process, Forked) and Path(f"/proc/{child.process.pid}").exists()
        assert child.wait() == -signal.SIGKILL
        deadline = time.monotonic() + 15
        while Path(f"/proc/{child.process.pid}").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)


FORKS_ONCE = """
import errno, os, sys
fork, forked = os.fork, []
def once():
    if forked:
        raise OSError(errno.EAGAIN, "no more processes")
    forked.append(True)
    return fork()
if "ganbench.execute.forkserver" in sys.orig_argv:
    os.fork = once
"""


@pytest.mark.parametrize("lacking", ["processes", "descriptors"])
def test_a_request_that_cannot_be_met_ends_nobody_else(
    lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server does not start is spawned, and what it has started goes on to its own end."""
    if lacking == "processes":
        (tmp_path / "sitecustomize.py").write_text(FORKS_ONCE)
        monkeypatch.syspath_prepend(tmp_path)
    with ForkServer() as server, (tmp_path / "log").open("wb") as log:

        def start(code: int) -> Child:
            waits = f"while not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.01)"
            words = ["-n1", "-r1", "-s", f"import os, time\n{waits}", f"os._exit({code})"]
            return Child("timeit", words, threads=1, cores=None, log=log, start=server.start)

        first = start(3)
        assert isinstance(first.process, Forked)
        if lacking == "descriptors":
            resource.prlimit(_parent(first.process.pid), resource.RLIMIT_NOFILE, (3, 3))
        second = start(4)
        assert isinstance(second.process, Spawned) and not first.ended()
        (tmp_path / "go").touch()
        assert (first.wait(), second.wait()) == (3, 4)


def test_programs_end_as_under_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = {
        "quiet": ("import sys; sys.exit()", 0, ""),
        "code": ("import sys; sys.exit(3)", 3, ""),
        "words": ("import sys; sys.exit('no')", 1, "no"),
        "raises": ("1 / 0", 1, "ZeroDivisionError"),
        "last_words": ("import atexit; atexit.register(print, 'bye', end='')", 0, "bye"),
    }
    for name, (text, _, _) in programs.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with ForkServer() as server:
        for start in (server.start, spawn):
            for name, (_, code, said) in programs.items():
                with (tmp_path / "log").open("w+b") as log:
                    child = Child(name, [], threads=1, cores=None, log=log, start=start)
                    assert child.wait() == code, name
                    log.seek(0)
                    assert said in log.read().decode()


def test_other_threads_than_the_servers_are_spawned(server: ForkServer, tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        child = Child("timeit", ["-n1", "-r1", "pass"], threads=2, cores=None, log=log, start=server.start)
        assert isinstance(child.process, Spawned) and child.wait() == 0


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
