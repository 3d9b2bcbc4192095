"""One command at a time in a suite's folder, one process at a time on a run's."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from ganbench.errors import UsageError
from ganbench.execute import lease, tickets
from ganbench.execute.lease import Lease

NAME = ".lock"
NAMES = frozenset({NAME, lease.NAME, lease.TAKING, tickets.NAME})
"""Files of a lock, and of a job that waits for it, which are no part of what is locked."""
WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})
"""What a file system says that has no locks, as some network file systems."""


CHILDREN = 5.0
"""Seconds in which the children of a killed process are gone."""


class Busy(UsageError):
    """Another living process holds the folder."""


class FolderLock:
    """Holds a folder. It is the kernel's lock: it goes with the processes that hold it, however they end.

    Children that keep its descriptor hold it, too, so that what a killed process leaves running still counts. Where the
    file system has no locks a file that names the holder stands for it (`Lease`).
    """

    def __init__(self, folder: Path, patience: float, busy: str) -> None:
        """folder: made if need be. patience: seconds to wait, for the children of a killed process to go. busy: what
        is said of a folder that is not let go; `{}` in it is who holds it, as far as that is known."""
        self._file, self._patience, self._folder, self._busy = folder / NAME, patience, folder, busy
        self._lease: Lease | None = None
        self.descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise unusable(self._folder, error) from None
        deadline = time.monotonic() + self._patience
        try:
            while (refusal := self._refusal()) is not None:
                if time.monotonic() > deadline:
                    raise Busy(f"{self._folder}: {self._busy.format(refusal)}")
                time.sleep(0.1)
        except BaseException:
            os.close(self.descriptor)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lease is not None:
            self._lease.release()
        os.close(self.descriptor)

    def _refusal(self) -> str | None:
        """None once the folder is this process's, else what more there is to say about who has it, or nothing."""
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            return ""
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise unusable(self._file, error) from None
        self._lease = self._lease or Lease(self._folder)
        try:
            return self._lease.refusal()
        except OSError as error:
            raise unusable(self._folder, error) from None


class SuiteLock(FolderLock):
    """Holds a suite's folder for one command."""

    def __init__(self, folder: Path, patience: float = CHILDREN) -> None:
        super().__init__(
            folder, patience, "another ganbench run is at work there{}; wait for it, or name another --out"
        )


class RunLock(FolderLock):
    """Holds a run's folder for one slot. patience: as `FolderLock` has it."""

    def __init__(self, folder: Path, patience: float = 0.0) -> None:
        super().__init__(folder, patience, "another process is at work on it{}")


def remove_empty(folder: Path) -> None:
    """Remove a folder in which there is nothing but a lock's files; another one stays."""
    if all(path.name in NAMES for path in folder.iterdir()):
        for name in NAMES:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def unusable(place: Path, error: OSError) -> UsageError:
    """The user's line for a folder that cannot be used."""
    return UsageError(f"{place}: cannot be used ({error.strerror or error}); name another folder with --out")
