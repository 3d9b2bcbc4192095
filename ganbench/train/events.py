"""`events.jsonl`: one JSON object a line, appended while a run trains."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganbench.record.files import finite


class EventLog:
    """Appends events. offset: what lies behind it (written after the checkpoint that is taken up) is dropped."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._file.truncate(min(offset, os.fstat(self._file.fileno()).st_size))
        self._file.seek(0, os.SEEK_END)

    @property
    def offset(self) -> int:
        """Where the next event begins, in bytes."""
        return self._file.tell()

    def write(self, event: Mapping[str, Any]) -> None:
        """Append one event; it reaches the file at once."""
        self._file.write(json.dumps(finite(event), ensure_ascii=False).encode() + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
