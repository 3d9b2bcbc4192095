"""One command at a time in a suite's folder."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from ganbench.errors import UsageError

NAME = ".lock"


class SuiteLock:
    """Holds a suite's folder. It is the kernel's lock: it goes with the processes that hold it, however they end.

    Children keep its descriptor, so that what a killed command leaves running still counts.
    """

    def __init__(self, folder: Path, patience: float = 5.0) -> None:
        """folder: made if need be. patience: seconds to wait, for the children of a killed command to go."""
        self._file, self._patience, self._folder = folder / NAME, patience, folder
        self.descriptor = -1

    def __enter__(self) -> SuiteLock:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise unusable(self._folder, error) from None
        deadline = time.monotonic() + self._patience
        while not self._taken():
            if time.monotonic() > deadline:
                os.close(self.descriptor)
                raise UsageError(
                    f"{self._folder}: another ganbench run is at work there; wait for it, or name another --out"
                )
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)

    def _taken(self) -> bool:
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def unusable(place: Path, error: OSError) -> UsageError:
    """The user's line for a folder that cannot be used."""
    return UsageError(f"{place}: cannot be used ({error.strerror or error}); name another folder with --out")
