"""Import plugins, each in a fork of its own, and tell how that went.

    python -m ganbench.probe SECONDS FILE|MODULE…

One JSON line for each on stdout: `word`, `reason` (null if all is well), `raised` (it failed by an exception).
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import re
import select
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from ganbench import plugins
from ganbench.sources import Source, file_source, walk

GRACE = 2.0
"""Seconds after which a process that should have ended itself is ended."""


def main(arguments: list[str]) -> None:
    """Try every word, in order."""
    seconds, *words = arguments
    found: list[tuple[str, Source | str]] = []
    for word in words:
        try:
            found.append((word, _source(word)))
        except Exception as error:
            found.append((word, f"{type(error).__name__}: {error}"))
    if any(b"torch" in file.read_bytes() for _, s in found if isinstance(s, Source) for file in s.files):
        with contextlib.suppress(Exception):  # once here, not in every fork; where it fails, the plugins will say so
            import torch  # noqa: F401
    for word, source in found:
        if isinstance(source, str):
            _tell(word, source, raised=True)
        else:
            _tell(word, *_fork(source, float(seconds)))


def _tell(word: str, reason: str | None, raised: bool) -> None:
    print(json.dumps({"word": word, "reason": reason, "raised": raised}), flush=True)


def _source(word: str) -> Source:
    if os.sep in word:
        return file_source(Path(word))
    return next(walk(word, word))


def _fork(source: Source, seconds: float) -> tuple[str | None, bool]:
    """Reason and whether it was an exception; (None, False) if all is well."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as trace:
        child = os.fork()
        if child == 0:
            os.close(reading)
            _become(source, seconds, writing, trace)
        os.close(writing)
        said, late = b"", False
        try:
            said, late = _listen(reading, seconds + GRACE)
        finally:
            os.close(reading)
            for end in (os.killpg, os.kill):  # and whatever it started; the group may not be there yet
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    end(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
        if said.endswith(b"\n"):
            told: dict[str, Any] = json.loads(said)
            return told["reason"], told["reason"] is not None
        trace.seek(0)
        stack = trace.read()
    late = late or "Timeout (" in stack
    return _where(stack, source) + _ending(os.waitstatus_to_exitcode(status), late, seconds), False


def _listen(pipe: int, seconds: float) -> tuple[bytes, bool]:
    """What comes through a pipe until its end, or its first full line, or until the time is up (the second value)."""
    said, end = b"", time.monotonic() + seconds
    while not said.endswith(b"\n"):
        if not select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0]:
            return said, True
        more = os.read(pipe, 65_536)
        if not more:
            break
        said += more
    return said, False


def _become(source: Source, seconds: float, pipe: int, trace: IO[str]) -> None:
    """In the fork: import, register, tell, end. Nothing it prints is seen."""
    reason: str | None = "ended before it began"
    try:
        os.setpgid(0, 0)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        faulthandler.enable(trace)
        faulthandler.dump_traceback_later(seconds, exit=True, file=trace)
        try:
            plugins.register(source)
            reason = None
        except BaseException as error:
            reason = plugins.one_line(error, source)
        os.write(pipe, json.dumps({"reason": reason}).encode() + b"\n")
    finally:
        os._exit(0)


def _where(stack: str, source: Source) -> str:
    """`file.py, line 3: ` of the plugin's own innermost frame, from what faulthandler wrote."""
    frames = re.findall(r'^  File "(.+)", line (\d+)', stack, re.MULTILINE)
    mine = {str(file) for file in source.files}
    for file, line in frames:
        if file in mine:
            return f"{Path(file).name}, line {line}: "
    return ""


def _ending(code: int, late: bool, seconds: float) -> str:
    if late:
        return f"its import did not end within {seconds:g} s"
    if code >= 0:
        return f"its import ended the process with exit code {code}"
    try:
        return f"its import crashed the process with {signal.Signals(-code).name}"
    except ValueError:
        return f"its import crashed the process with signal {-code}"


if __name__ == "__main__":
    main(sys.argv[1:])
