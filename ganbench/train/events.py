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
        self._file = path.open("ab", buffering=0)
        self.offset = min(offset, os.fstat(self._file.fileno()).st_size)
        self._file.truncate(self.offset)

    def write(self, *events: Mapping[str, Any]) -> None:
        """Append events; they reach the file at once, all of them or (with an `OSError`) none."""
        text = "".join(json.dumps(finite(event), ensure_ascii=False) + "\n" for event in events)
        lines = text.encode(errors="replace")  # an error may name a file whose name is no text
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            self._file.truncate(self.offset)
            raise
        self.offset += len(lines)

    def sync(self) -> None:
        """Have what was written outlast a power cut: a checkpoint relies on it."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
