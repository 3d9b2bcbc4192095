"""The end of `events.jsonl` is read while the run may still be writing it."""

from __future__ import annotations

import json
from pathlib import Path

from ganbench.record.tail import TAIL, last_event, last_step


def lines(*cycles: int) -> bytes:
    return b"".join(json.dumps({"cycle": c, "kind": "progress"}).encode() + b"\n" for c in cycles)


def test_the_newest_whole_event_counts(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines(1, 2) + b'{"kind": "look", "cycle": 3}\n')
    assert last_event(tmp_path) == {"cycle": 2, "kind": "progress"} and last_step(tmp_path) == 2
    assert last_event(tmp_path, "look") == {"cycle": 3, "kind": "look"}
    assert last_event(tmp_path, "probe") is None


def test_a_torn_or_foreign_line_is_passed_over(tmp_path: Path) -> None:
    torn = lines(9)
    for end in (torn[: len(torn) // 2], b"\xff\xfe\n", b"[1]\n", b"null\n", b"[" * 20_000 + b"\n", b"\n\n"):
        (tmp_path / "events.jsonl").write_bytes(lines(1, 2) + end)
        assert last_step(tmp_path) == 2


def test_what_has_no_number_has_no_step(tmp_path: Path) -> None:
    assert last_event(tmp_path) is None and last_step(tmp_path) is None
    for content in (b"", b'{"kind": "progress"}\n', b'{"kind": "progress", "cycle": true}\n'):
        (tmp_path / "events.jsonl").write_bytes(content)
        assert last_step(tmp_path) is None


def test_a_long_file_is_read_at_its_end_only(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(lines(*range(5_000)))
    assert (tmp_path / "events.jsonl").stat().st_size > 2 * TAIL
    assert last_step(tmp_path) == 4_999
    (tmp_path / "events.jsonl").write_bytes(lines(1) + b'{"kind": "look"}\n' * TAIL)
    assert last_step(tmp_path) is None
