"""Where data and weights lie on this machine, and how they come here when they do not.

`GANBENCH_DATA` names folders to look in (separated as in PATH); `GANBENCH_CACHE` names the folder that downloads and
parsed copies are kept in; `GANBENCH_DOWNLOAD_SECONDS` says how long nothing may come before a download is given up.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import platformdirs

from ganbench.errors import Unavailable, UsageError

CACHE, DATA = "GANBENCH_CACHE", "GANBENCH_DATA"
"""Names of environment variables."""
REASON = 300
"""Characters of a failed download's reason that are shown: enough for two mirrors and what each said."""
IDLE = "GANBENCH_DOWNLOAD_SECONDS"
"""Names the environment variable for how long nothing may come."""
PATIENCE = 10.0
"""Its default."""
STALE_AFTER = 3600.0
"""Seconds without a change after which a temporary folder is taken for that of a killed process."""


_offline: ContextVar[bool] = ContextVar("_offline", default=False)


@contextmanager
def offline() -> Iterator[None]:
    """A block in which `fetch` downloads nothing and says at once that the thing is not here."""
    token = _offline.set(True)
    try:
        yield
    finally:
        _offline.reset(token)


class Reachable(Exception):
    """Raised by `fetch` in a glance: the thing is not here, and its first byte came."""


_glance: ContextVar[float | None] = ContextVar("_glance", default=None)


@contextmanager
def glance(seconds: float) -> Iterator[None]:
    """A block in which `fetch` only looks whether a download would begin: it keeps nothing, and raises `Reachable` once
    a byte has come, `Unavailable` if none came for so many seconds."""
    token = _glance.set(seconds)
    try:
        yield
    finally:
        _glance.reset(token)


def cache_dir() -> Path:
    """The folder for downloads and parsed copies, which may not exist yet: `GANBENCH_CACHE`, else the user's cache."""
    return _expanded(CACHE, os.environ.get(CACHE) or platformdirs.user_cache_dir("ganbench"))


def data_roots() -> list[Path]:
    """Folders to look for data in, in order: those of `GANBENCH_DATA`, then the downloads in `cache_dir()`."""
    named = os.environ.get(DATA, "").split(os.pathsep)
    return [*(_expanded(DATA, name) for name in named if name), cache_dir() / "data"]


def _expanded(variable: str, place: str) -> Path:
    """A folder, with the home that `~` stands for; not every user has one, as in a container with a number for a
    user."""
    try:
        return Path(place).expanduser()
    except RuntimeError:
        raise UsageError(f"{variable}={place}: has no home folder to begin at; give the whole path") from None


def seconds_from(variable: str, default: float) -> float:
    """A number of seconds from the environment; `UsageError` for what is none, or not above 0."""
    text = os.environ.get(variable, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value < 86_400:
        raise UsageError(f"{variable}={text}: must be a number of seconds above 0, such as {default:g}")
    return value


def fetch(download: Callable[[Path], None], into: Path, what: str, idle: float | None = None) -> Path:
    """Fill the folder `into` by `download(folder)`, all or nothing, and return it.

    download: writes everything into the empty folder that it is given. It runs in a thread, and is given up when it
    raises or when nothing below that folder has grown for `idle` seconds (`GANBENCH_DOWNLOAD_SECONDS`, else 10); its
    progress bar is shown on a terminal only. what: the thing's name in the error. Raises `Unavailable` where the
    download failed, `UsageError` where `into` cannot be written.
    """
    if _offline.get():
        raise Unavailable(f"{what}: not on this machine")
    into = Path(into)
    idle = seconds_from(IDLE, PATIENCE) if idle is None else idle
    if (least := _glance.get()) is not None:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            reason = _watched(download, Path(name), min(idle, least), first=True)
        raise Reachable(what) if reason is None else _unavailable(what, reason)
    with filled(into) as folder:
        reason = _watched(download, folder, idle)
        if reason is not None:
            raise _unavailable(what, reason)
    return into


@contextmanager
def filled(into: Path) -> Iterator[Path]:
    """A block that fills the folder it is given, which becomes `into` where the block ends well and else is removed."""
    with _folder_beside(into) as folder:
        try:
            yield folder
        except OSError as error:
            raise UsageError(f"{into}: cannot be written ({error.strerror or error})") from None
        try:
            os.replace(folder, into)
        except OSError as error:  # a folder is there: another process was first, and its files are as good as these
            if not into.is_dir():
                raise UsageError(f"{into}: cannot be written ({error.strerror}); move it away") from None


def _unavailable(what: str, reason: str) -> Unavailable:
    return Unavailable(
        f"{what}: not on this machine and not downloaded ({reason}); "
        f"mend the connection{_proxies()} and try again, or point GANBENCH_DATA at a folder that holds it"
    )


def _watched(download: Callable[[Path], None], folder: Path, idle: float, first: bool = False) -> str | None:
    """Run `download(folder)` in a daemon thread: None once it is through, else why it was given up, in one line.

    first: it is through with its first byte; the thread is then left to itself.
    """
    failure: list[BaseException] = []

    def body() -> None:
        try:
            download(folder)
        except BaseException as error:  # also SystemExit: whatever ends the download is the reason
            failure.append(error)

    before, late = socket.getdefaulttimeout(), f"nothing came for {idle:g} s"
    socket.setdefaulttimeout(idle)
    shown = contextlib.nullcontext() if sys.stderr.isatty() and not first else contextlib.redirect_stderr(io.StringIO())
    try:
        thread = threading.Thread(target=body, name="ganbench-fetch", daemon=True)
        with shown:
            thread.start()
            size, moved = -1, time.monotonic()
            while thread.is_alive():
                thread.join(min(0.1, idle / 10))
                now = _bytes_below(folder)
                if first and now:
                    return None
                if now != size:
                    size, moved = now, time.monotonic()
                elif thread.is_alive() and time.monotonic() - moved > idle:
                    return late
    finally:
        socket.setdefaulttimeout(before)
    if failure and isinstance(failure[0], TimeoutError):
        return late
    if failure:
        reason = " ".join(f"{type(failure[0]).__name__}: {failure[0]}".split())
        return reason if len(reason) <= REASON else reason[:REASON] + "…"
    return None


def _proxies() -> str:
    """The variables that send downloads through a proxy, in brackets; their values may hold a password."""
    known = ("http_proxy", "https_proxy", "all_proxy")
    names = [name for name in (*known, *map(str.upper, known)) if os.environ.get(name)]
    return f" (it goes through the proxy of {', '.join(names)})" if names else ""


def _bytes_below(folder: Path) -> int:
    """Bytes in all files below a folder, some of which may vanish meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue
    return total


@contextmanager
def _folder_beside(into: Path) -> Iterator[Path]:
    """A temporary folder on the file system of `into`, removed afterwards if it is still there."""
    prefix = f".{into.name}-part-"
    try:
        into.parent.mkdir(parents=True, exist_ok=True)
        for old in into.parent.glob(f"{prefix}*"):
            if time.time() - old.stat().st_mtime > STALE_AFTER:
                shutil.rmtree(old, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=into.parent))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(f"{into.parent}: cannot be written ({reason}); set GANBENCH_CACHE to another folder") from None
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
