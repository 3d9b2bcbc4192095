"""One command at a time in a suite's folder."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from ganbench.errors import UsageError
from ganbench.execute import lease
from ganbench.execute.lease import Lease

NAME = ".lock"
NAMES = frozenset({NAME, lease.NAME, lease.TAKING})
"""Files of a lock, which are none of a suite's runs."""
WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})
"""What a file system says that has no locks, as some network file systems."""


class SuiteLock:
    """Holds a suite's folder. It is the kernel's lock: it goes with the processes that hold it, however they end.

    Children keep its descriptor, so that what a killed command leaves running still counts. Where the file system has
    no locks a file that names the holder stands for it (`Lease`).
    """

    def __init__(self, folder: Path, patience: float = 5.0) -> None:
        """folder: made if need be. patience: seconds to wait, for the children of a killed command to go."""
        self._file, self._patience, self._folder = folder / NAME, patience, folder
        self._lease: Lease | None = None
        self.descriptor = -1

    def __enter__(self) -> SuiteLock:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise unusable(self._folder, error) from None
        deadline = time.monotonic() + self._patience
        try:
            while (refusal := self._refusal()) is not None:
                if time.monotonic() > deadline:
                    raise UsageError(
                        f"{self._folder}: another ganbench run is at work there{refusal}; wait for it, or name another "
                        "--out"
                    )
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
        """None once the folder is this command's, else what more there is to say about who has it, or nothing."""
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


def unusable(place: Path, error: OSError) -> UsageError:
    """The user's line for a folder that cannot be used."""
    return UsageError(f"{place}: cannot be used ({error.strerror or error}); name another folder with --out")
