"""A file that names who holds a folder, for file systems without locks.

It is made with `O_EXCL`, which one of several contenders wins everywhere. Whether a holder is gone is told by its
process id *and* that process's start: a number that was given to another process since does not count. That can be
known on the holder's own machine only, so the lease of another one is never taken over: a machine that merely sleeps
would write on when it wakes up.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.execute.child import GRACE

NAME, TAKING = ".lease", ".lease-taking"
LINGER = GRACE + 1.0
"""Seconds that the children of a killed holder may need to go."""


class Lease:
    """This process's claim on a folder."""

    def __init__(self, folder: Path) -> None:
        self._file, self._taking = folder / NAME, folder / TAKING
        pid = os.getpid()
        self._me: dict[str, Any] = {"machine": _machine(), "boot": _boot(), "pid": pid, "start": process_start(pid)}
        self._me["token"] = uuid.uuid4().hex
        self._gone: tuple[dict[str, Any], float] | None = None

    def refusal(self) -> str | None:
        """None once this process holds the folder, else a remark on who does, or nothing."""
        if self._make(self._file):
            return None
        holder = self._read()
        if holder is None:  # released just now, or half written
            return f" (if there is none, delete {self._file})"
        if holder.get("machine") != self._me["machine"]:
            return f" on another machine (if it has ended there, delete {self._file})"
        if holder.get("boot") == self._me["boot"] and process_start(holder.get("pid")) == holder.get("start"):
            return f" (process {holder.get('pid')}; if it is no ganbench, delete {self._file})"
        if self._gone is None or self._gone[0] != holder:
            self._gone = holder, time.monotonic()
        if time.monotonic() - self._gone[1] < LINGER:
            return ""
        return self._take_over(holder)

    def _take_over(self, holder: Mapping[str, Any]) -> str | None:
        """Put this process in the place of a holder that is gone, under a second file that one contender makes."""
        if not self._make(self._taking):
            return f" (if there is none, delete {self._file} and {self._taking})"
        try:
            if self._read() != holder:
                return ""
            self._file.unlink()
            return None if self._make(self._file) else ""
        finally:
            self._taking.unlink(missing_ok=True)

    def release(self) -> None:
        """Let the folder go, if it is still this process's."""
        if self._read() == self._me:
            with contextlib.suppress(OSError):
                self._file.unlink()

    def _make(self, file: Path) -> bool:
        """Whether this process is the one that made the file."""
        try:
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            return False
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(self._me, stream)
        return True

    def _read(self) -> dict[str, Any] | None:
        try:
            value = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


def process_start(pid: Any) -> str | None:
    """When a process of this machine began, in the kernel's ticks since it booted; None where there is none."""
    try:
        return Path(f"/proc/{int(pid)}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, ValueError, TypeError, IndexError, OverflowError):
        return None


def _machine() -> str:
    """A hash of what tells this machine (and, in a container, its process ids) from others."""
    try:
        ids = os.readlink("/proc/self/ns/pid")
    except OSError:
        ids = ""
    words = (socket.gethostname(), _line("/etc/machine-id"), ids)
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


def _boot() -> str:
    return _line("/proc/sys/kernel/random/boot_id")


def _line(file: str) -> str:
    try:
        return Path(file).read_text().strip()
    except OSError:
        return ""
