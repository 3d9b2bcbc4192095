"""What a door must do with a damaged file: work, or say so in one line; and nothing else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError

LONGEST_LINE, SECONDS = 1500, 20.0
NEVER = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "pickle.find_class",
    "socket.connect",
    "ctypes.dlopen",
)
"""Audit events: what no file may make this program do."""

_heard: list[str] | None = None


def _listen(event: str, _: Any) -> None:
    if _heard is not None and event in NEVER:
        _heard.append(event)


sys.addaudithook(_listen)


@contextmanager
def _listening() -> Iterator[list[str]]:
    global _heard
    _heard = []
    try:
        yield _heard
    finally:
        _heard = None


def held(door: Callable[[], Any], kept: Path) -> bool:
    """Go through a door: whether it took the file. kept: must be afterwards what it was."""
    before, began, took = _content(kept), time.monotonic(), True
    with _listening() as heard:
        try:
            door()
        except UsageError as error:
            took, line = False, str(error)
            assert line.strip() and "\n" not in line and "\r" not in line, line
            assert len(line) < LONGEST_LINE, f"{len(line)} characters: {line[:200]}"
    assert not heard, heard
    assert _content(kept) == before, "the user's file is left alone"
    assert time.monotonic() - began < SECONDS
    return took


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None
