"""Processes that do the work: pinned threads, a group of their own, and an end when the parent ends.

    python -m ganbench.execute.child LIFELINE CORES MODULE ARGUMENTS…

LIFELINE is the reading end of a pipe whose writing end only the parent holds: when the parent is gone, however it went,
the pipe ends and the child stops itself. CORES are those it may run on (`-`: any).
"""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

GRACE = 3.0
"""Seconds that an orphan has for an orderly end."""

STOPS = {"SIGTERM", "SIGINT", "SIGHUP"}
"""Signals by which somebody asks a process to end."""

CRASHES = {"SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"}
"""Signals that a process brings upon itself."""


@dataclass(frozen=True)
class Streams:
    """File descriptors of a process to be: its standard ones, its lifeline, and others that it keeps open (locks)."""

    stdin: int
    stdout: int
    stderr: int
    lifeline: int
    held: tuple[int, ...] = ()


class Process(Protocol):
    """A process that was started. returncode: once `wait` has told, its exit code or minus the signal's number."""

    pid: int
    returncode: Any

    def ended(self, block: bool = False) -> bool:
        """Whether it has ended; until `wait` nobody else is given its number. block: wait until it has."""
        ...

    def wait(self) -> int:
        """Wait for its end; its returncode. Its number is free from then on."""
        ...


Start = Callable[[Sequence[str], int, Streams], Process]
"""Starts a process: what `main` is to be given after the lifeline (cores, module, arguments), threads, streams."""


class Spawned(subprocess.Popen[bytes]):
    """A process with a Python of its own."""

    def ended(self, block: bool = False) -> bool:
        """As `Process` says: a zombie until `wait`."""
        if self.returncode is not None:
            return True
        options = os.WEXITED | os.WNOWAIT | (0 if block else os.WNOHANG)
        try:
            return os.waitid(os.P_PID, self.pid, options) is not None
        except ChildProcessError:
            return True


def spawn(words: Sequence[str], threads: int, streams: Streams) -> Process:
    """Start a process with a Python of its own."""
    return Spawned(
        [sys.executable, "-P", "-m", "ganbench.execute.child", str(streams.lifeline), *words],
        stdin=streams.stdin,
        stdout=streams.stdout,
        stderr=streams.stderr,
        env=environment(threads),
        pass_fds=(streams.lifeline, *streams.held),
        start_new_session=True,  # Ctrl-C at the terminal is the parent's to handle
    )


class Child:
    """A running module: `python -m module arguments`, with what it prints kept in a log.

    stdin, stdout: of one that is served, text to it and from it.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        *,
        threads: int,
        cores: tuple[int, ...] | None,
        log: IO[bytes],
        held: tuple[int, ...] = (),
        served: bool = False,
        start: Start = spawn,
    ) -> None:
        """Start it. held: file descriptors that it keeps open (a lock). served: stdin and stdout are text pipes to this
        process (else stdout goes to the log as well)."""
        self._lock, self._oom_kills = threading.Lock(), oom_kills()
        self.stdin: IO[str] | None = None
        self.stdout: IO[str] | None = None
        words = [",".join(map(str, cores)) if cores else "-", module, *arguments]
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            lifeline, self._lifeline = _pipe(theirs, ours)
            out = log.fileno()
            if served:
                into, said = _pipe(theirs, ours)
                heard, out = _pipe(ours, theirs)
            else:
                into = os.open(os.devnull, os.O_RDONLY)
                theirs.callback(os.close, into)
            self.process = start(words, threads, Streams(into, out, log.fileno(), lifeline, held))
            if served:
                self.stdin = open(said, "w", encoding="utf-8")  # noqa: SIM115 - `close` does
                self.stdout = open(heard, encoding="utf-8", errors="replace")  # noqa: SIM115
            ours.pop_all()

    def wait(self) -> int:
        """Wait for the end; the exit code, or minus the signal's number. What it started dies with it."""
        self.process.ended(block=True)
        self.signal(signal.SIGKILL)
        with self._lock:
            code = self.process.wait()
        self.close()
        return code

    def ended(self) -> bool:
        """Whether the process has ended."""
        return self.process.ended()

    def signal(self, number: int) -> None:
        """Send a signal to the process and to whatever it started."""
        with self._lock:
            if self.process.returncode is None:
                try:
                    os.killpg(self.process.pid, number)
                except (ProcessLookupError, PermissionError):
                    return

    @property
    def short_of_memory(self) -> bool:
        """Whether the kernel has killed a process of this machine for lack of memory since this one began."""
        return oom_kills() > self._oom_kills

    def close(self) -> None:
        """Let go of its pipes; a child that still runs takes the end of the lifeline for its own."""
        lifeline, self._lifeline = self._lifeline, -1
        if lifeline >= 0:
            os.close(lifeline)
        for pipe in (self.stdin, self.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


def _pipe(readers: contextlib.ExitStack, writers: contextlib.ExitStack) -> tuple[int, int]:
    """A pipe's reading and writing end, each closed by the side that it is for."""
    reading, writing = os.pipe()
    readers.callback(os.close, reading)
    writers.callback(os.close, writing)
    return reading, writing


def environment(threads: int) -> dict[str, str]:
    """This process's environment with threads pinned, deterministic libraries, and the same modules within reach."""
    pinned = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    here = [str(Path(p or ".").resolve()) for p in sys.path]
    return {
        **os.environ,
        **pinned,
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(here)),
    }


def oom_kills(statistics: Path = Path("/proc/vmstat")) -> int:
    """How many processes the kernel has killed for lack of memory so far; 0 where it does not tell."""
    try:
        lines = statistics.read_text().splitlines()
    except OSError:
        return 0
    return next((int(n) for key, _, n in (line.partition(" ") for line in lines) if key == "oom_kill"), 0)


def ending(code: int, last_line: str, short_of_memory: bool = False) -> tuple[str, str]:
    """Status and reason of a process that ended without telling why. short_of_memory: as `Child` has it."""
    if code >= 0:
        return "crashed", last_line or f"ended with exit code {code} and said nothing"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name in CRASHES:
        return "crashed", f"crashed with {name}" + (f": {last_line}" if last_line else "")
    if name in STOPS:
        return "interrupted", f"stopped by {name}"
    if name == "SIGKILL" and short_of_memory:
        return "oom", "killed by the kernel, which was out of memory: fewer --jobs, or a smaller batch_size"
    return "killed", f"killed by {name}"


def main(arguments: Sequence[str]) -> None:
    """Become MODULE, with a thread that watches the lifeline."""
    lifeline, cores, module, *rest = arguments
    signal.signal(
        signal.SIGUSR2, signal.SIG_IGN
    )  # by which a scheduler tells all of a job's processes what is its parent's
    if cores != "-" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(c) for c in cores.split(",")})
    threading.Thread(target=_watch, args=(int(lifeline),), name="lifeline", daemon=True).start()
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _watch(lifeline: int) -> None:
    while os.read(lifeline, 1):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
