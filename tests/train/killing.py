"""A process that trains run folders in forks of itself and kills them: torch is imported and warm once.

    python killing.py

Each line of stdin is one attempt, `{"folder": …, "checkpoint_seconds": …}` with one of

    "cycle": c, "delay": s    SIGKILL so many seconds after the end of cycle c
    "write": n                SIGKILL at the n-th step of writing files: before or after a flush to disk, a renaming or
                              a removal, or between two halves of an event's line

or none of them, or "fork": false, which is the process itself; the answer is a line with the signal that ended it, 0
where it went through.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tiny_runs import PARTS

from ganbench import plugins
from ganbench.plan.spec import RunSpec
from ganbench.train.device import reference_mode
from ganbench.train.events import EventLog
from ganbench.train.run import Run
from ganbench.train.sampling import Sampler

CPU = torch.device("cpu")


def main() -> None:
    registry = plugins.load([str(PARTS)])
    reference_mode(CPU, 1)
    for line in sys.stdin:
        print(attempt(registry, json.loads(line)), flush=True)


def attempt(registry: plugins.Registry, asked: dict[str, Any]) -> int:
    """The signal that ended one attempt; 0 for none."""
    if not asked.get("fork", True):
        train(registry, asked, lambda: None)
        return 0
    assert len(os.listdir("/proc/self/task")) == 1, "a fork of one thread is a whole process"
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            train(registry, asked, lambda: os.write(writing, b"."))
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    if "cycle" in asked and os.read(reading, 1):
        time.sleep(asked["delay"])
        os.kill(pid, signal.SIGKILL)
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if os.WIFEXITED(status):
        assert not os.WEXITSTATUS(status), asked
        return 0
    return os.WTERMSIG(status)


def train(registry: plugins.Registry, asked: dict[str, Any], reached: Callable[[], Any]) -> None:
    folder = Path(asked["folder"])

    def stop() -> bool:
        if run.step == asked.get("cycle"):
            reached()
        return False

    Sampler.rate = lambda self, views, seconds=0.5: 0.0  # type: ignore[method-assign] # half a second for a clock time
    if "write" in asked:
        die_at(asked["write"])
    every = asked["checkpoint_seconds"]
    run = Run(RunSpec.read(folder), registry, folder, CPU, checkpoint_seconds=every, stop=stop)
    run.train()


def die_at(number: int) -> None:
    """Die at this step of writing files, counted from 1."""
    left = [number]

    def step() -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            step()
            made = function(*args, **more)
            step()
            return made

        return call

    for name in ("fsync", "replace", "unlink"):
        setattr(os, name, deadly(getattr(os, name)))

    class Torn(io.FileIO):
        """Writes in two halves."""

        def write(self, data: Any) -> int:
            half = len(data) // 2
            super().write(data[:half])
            step()
            return half + super().write(data[half:])

    begin = EventLog.__init__

    def open_torn(self: Any, path: Path, offset: int = 0) -> None:
        begin(self, path, offset)
        self._file = Torn(os.dup(self._file.fileno()), "ab")

    EventLog.__init__ = open_torn  # type: ignore[method-assign]


@contextmanager
def killer() -> Iterator[Callable[..., int]]:
    """A running `killing.py`, as a function: attempt → signal."""
    import subprocess

    words = [sys.executable, __file__]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, **pipes) as process:
        assert process.stdin is not None and process.stdout is not None

        def ask(**asked: Any) -> int:
            print(json.dumps(asked, default=str), file=process.stdin, flush=True)
            return int(process.stdout.readline())

        yield ask
        process.stdin.close()


if __name__ == "__main__":
    main()
