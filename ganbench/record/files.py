"""Reading and writing the files of a run. Writes are atomic: temporary file, fsync, rename, fsync of the folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from ganbench.errors import UsageError
from ganbench.record.schema import require_sound

SCHEMA_VERSION = 1
LARGEST = 64 * 2**20
"""Bytes of the largest JSON file that is read: thousands of times what a run writes."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a write says that finds no room."""
_TEMPORARY = "-unfinished."


class Unreadable(UsageError):
    """A file that holds no record of any version: cut short, say, or no JSON at all."""


def write_atomic(path: Path, write: Callable[[IO[bytes]], Any], previous: Path | None = None) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place at once.

    previous: where what stands there now is kept; a power cut between the two renames leaves that one alone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}{_TEMPORARY}")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        if previous is not None and path.exists():
            os.replace(path, previous)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder outlast a power cut, where its file system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_unfinished(folder: Path) -> None:
    """Remove the temporary files that killed processes left below a folder. Nobody else may be at work there."""
    for path in folder.rglob(f".*{_TEMPORARY}*"):
        path.unlink(missing_ok=True)


def write_text_atomic(path: Path, text: str) -> None:
    """Write UTF-8 text."""
    write_atomic(path, lambda file: file.write(text.encode()))


def write_json_atomic(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object with its `schema_version`; NaN and infinities become null, halves of surrogate pairs `?`."""
    text = json.dumps(
        finite({"schema_version": SCHEMA_VERSION, **value}), indent=1, ensure_ascii=False, allow_nan=False
    )
    write_text_atomic(path, text.encode(errors="replace").decode() + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; refuses what is not one, what `schema.require_sound` refuses, and a schema newer than this
    program knows."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise UsageError(f"{path}: cannot be read (is no regular file)")
        if facts.st_size > LARGEST:
            raise UsageError(
                f"{path}: {facts.st_size:,} bytes are too many for a file of ganbench; delete it, and run again"
            )
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: not a JSON file ({error}); delete it, or the run's folder, and run again") from None
    if not isinstance(value, dict):
        raise Unreadable(f"{path}: expected a JSON object, found a {type(value).__name__}")
    version = value.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool):
        raise Unreadable(f"{path}: has no integer schema_version, so it is no file of ganbench")
    if version > SCHEMA_VERSION:
        raise UsageError(
            f"{path}: schema_version {version} is newer than {SCHEMA_VERSION}, the newest this ganbench knows; "
            "upgrade it: pip install -U ganbench"
        )
    require_sound(path, value)
    return value


def file_hash(path: Path) -> str:
    """sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(samples: Any, labels: Any) -> str:
    """sha256 over shape, type and bytes of samples and labels (NumPy arrays)."""
    digest = hashlib.sha256()
    for array in (samples, labels):
        if array is not None:
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(memoryview(array.reshape(-1)).cast("B"))
    return digest.hexdigest()


def finite(value: Any) -> Any:
    """The value with NaN and infinities replaced by None, tuples by lists, as JSON needs it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return value
