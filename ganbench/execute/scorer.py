"""A scoring process that serves one run folder after the other, without any GAN's plugin in it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ganbench.execute.child import Child, Start, ending, spawn
from ganbench.execute.watchdog import PATIENT, Watchdog
from ganbench.record.progress import clear_scoring

LAST_WORDS = 10.0
"""Seconds in which a process that has closed its pipes is gone."""


class ScoringFailed(Exception):
    """The status and reason of a scoring that was lost."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Scorer:
    """Started with the first folder, started anew after a death."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        threads: int,
        cores: tuple[int, ...] | None,
        hang_seconds: float,
        held: tuple[int, ...] = (),
        start: Start = spawn,
    ) -> None:
        """hang_seconds: without a sign of life for some times as long, the process is ended."""
        self._hang_seconds, self._begin = hang_seconds, start
        self._arguments, self._threads, self._cores, self._held = arguments, threads, cores, held
        self._child: Child | None = None
        self._said: IO[bytes] | None = None
        self._read = 0

    def score(self, folder: Path) -> None:
        """Have one folder scored; what the process prints meanwhile goes into the folder's `run.log`."""
        child = self._start()
        try:
            with Watchdog(child, folder, PATIENT * self._hang_seconds) as watchdog:
                answer = self._ask(child, folder)
        finally:
            clear_scoring(folder)
            self._to_log(folder)
        if answer is None:
            self._child = None
            self._end(child)
            code = child.wait()
            if watchdog.hung:
                raise ScoringFailed("timeout", watchdog.reason)
            raise ScoringFailed(*ending(code, self._last_line(), child.short_of_memory))
        if not answer.get("ok"):
            reason = str(answer.get("reason") or "scoring failed and did not say why")
            raise ScoringFailed("oom" if reason.startswith("out of memory") else "crashed", reason)

    def signal(self, number: int) -> None:
        """Send a signal to the process, if there is one."""
        if (child := self._child) is not None:
            child.signal(number)

    def close(self) -> None:
        """End the process, which is idle."""
        if self._child is not None:
            self._child.close()
            self._child.signal(signal.SIGTERM)
            self._child.wait()
            self._child = None
        if self._said is not None:
            self._said.close()
            self._said = None

    def _start(self) -> Child:
        if self._child is None or self._child.ended():
            if self._child is not None:
                self._child.wait()
            if self._said is None:
                self._said = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
            self._child = Child(
                "ganbench.score",
                self._arguments,
                threads=self._threads,
                cores=self._cores,
                log=self._said,
                held=self._held,
                served=True,
                start=self._begin,
            )
        return self._child

    def _ask(self, child: Child, folder: Path) -> dict[str, object] | None:
        """The answer, or None where the process has ended instead. Lines that are no answer are kept with its log."""
        assert child.stdin is not None and child.stdout is not None and self._said is not None
        try:
            asked = str(folder.resolve())
            child.stdin.write(f"{json.dumps(asked)}\n")  # in ASCII, whatever a path consists of
            child.stdin.flush()
        except (BrokenPipeError, ValueError):
            return None
        for line in child.stdout:
            try:
                answer = json.loads(line)
            except ValueError:
                answer = None
            if isinstance(answer, dict) and answer.get("folder") == asked and "ok" in answer:
                return answer
            os.write(self._said.fileno(), line.encode())
        return None

    def _end(self, child: Child) -> None:
        """One that gives no more answers has a moment to say why, and is not waited for for ever."""
        deadline = time.monotonic() + LAST_WORDS
        while not child.ended() and time.monotonic() < deadline:
            time.sleep(0.01)
        if not child.ended():
            child.signal(signal.SIGKILL)

    def _to_log(self, folder: Path) -> None:
        """A full disk costs words, not a result."""
        assert self._said is not None
        descriptor = self._said.fileno()
        new = os.pread(descriptor, os.fstat(descriptor).st_size - self._read, self._read)
        self._read += len(new)
        if new:
            with contextlib.suppress(OSError), (folder / "run.log").open("ab") as log:
                log.write(new)

    def _last_line(self) -> str:
        assert self._said is not None
        start = max(0, os.fstat(self._said.fileno()).st_size - 4096)
        return last_line(os.pread(self._said.fileno(), 4096, start))


def last_line(text: bytes) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
