"""Files of a run are whole or not there, and one that this program cannot know is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import IO

import pytest

from ganbench.errors import UsageError
from ganbench.record.files import file_hash, finite, read_json, write_atomic, write_json_atomic, write_text_atomic


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "a.json"
    write_json_atomic(file, {"name": "é · ×", "n": 3})
    assert read_json(file) == {"schema_version": 1, "name": "é · ×", "n": 3}
    assert "é · ×" in file.read_text(encoding="utf-8"), "people read these files"
    assert oct(file.stat().st_mode & 0o777) == "0o644"
    assert [p.name for p in file.parent.iterdir()] == ["a.json"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    write_text_atomic(file, "old")

    def half(stream: IO[bytes]) -> None:
        stream.write(b"ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomic(file, half)
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, full)
            with pytest.raises(OSError, match="No space left"):
                write_text_atomic(file, "new")
        assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]
    with pytest.raises(TypeError):
        write_json_atomic(file, {"no JSON": object()})
    assert file.read_text() == "old"


def test_no_reader_ever_sees_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_text_atomic(file, "old")
    seen: list[str] = []

    def slowly(stream: IO[bytes]) -> None:
        for part in (b"n", b"ew"):
            stream.write(part)
            stream.flush()
            seen.append(file.read_text())

    write_atomic(file, slowly)
    assert seen == ["old", "old"] and file.read_text() == "new"


def test_numbers_that_are_none_become_null(tmp_path: Path) -> None:
    nan, inf = float("nan"), float("inf")
    value = {"a": nan, "b": [inf, 1.5, (-inf, 2)], "c": {"d": nan, 5: True}, "e": "NaN", "f": 0}
    expected = {"a": None, "b": [None, 1.5, [None, 2]], "c": {"d": None, "5": True}, "e": "NaN", "f": 0}
    assert finite(value) == expected
    write_json_atomic(tmp_path / "a.json", value)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = (tmp_path / "a.json").read_text()
    assert json.loads(text, parse_constant=refuse) == {"schema_version": 1, **expected}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'{"schema_version": 2, "x": 1}', "schema_version 2 is newer than 1, the newest this ganbench knows; upgrade"),
        (b'{"schema_version": 1, "x"', "not a JSON file"),
        (b"", "not a JSON file"),
        (b"\xff\xfe", "not a JSON file"),
        (b"[" * 100_000, "not a JSON file"),
        (b"[1]", "expected a JSON object, found a list"),
        (b"null", "expected a JSON object, found a NoneType"),
        (b"{}", "has no integer schema_version"),
        (b'{"schema_version": "1"}', "has no integer schema_version"),
        (b'{"schema_version": true}', "has no integer schema_version"),
        (
            b'{"schema_version": 1, "a": [0, {"b": 9223372036854775808}]}',
            r"`a\[1\]\.b` is a whole number of more than 64",
        ),
        (b'{"schema_version": 1, "a": -1' + b"0" * 400 + b"}", "`a` is a whole number of more than 64 bits"),
        (b'{"schema_version": 1, "a": {"b": NaN}}', r"`a\.b` is not a finite number"),
        (b'{"schema_version": 1, "a": 1e400}', "`a` is not a finite number"),
        (b'{"schema_version": 1, "a": ["\\ud800"]}', r"`a\[0\]` is half a surrogate pair"),
        (b'{"schema_version": 1, "a": {"\\udfff": 1}}', r"`a\.\\udfff` is half a surrogate pair"),
        (
            b'{"schema_version": 1, "a": ' + b'{"a": ' * 900 + b"1" + b"}" * 900 + b"}",
            "nested more than 20 levels deep",
        ),
        (b'{"schema_version": 1, "a": ' + b"[" * 20 + b"]" * 20 + b"}", "nested more than 20 levels deep"),
        (None, "cannot be read"),
    ],
)
def test_what_cannot_be_known_is_refused_in_one_line(tmp_path: Path, content: bytes | None, line: str) -> None:
    file = tmp_path / "a.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=line) as error:
        read_json(file)
    assert str(error.value).startswith(str(file)) and "\n" not in str(error.value)


def test_what_is_large_deep_or_foreign_and_sound_is_read(tmp_path: Path) -> None:
    value = {"a": 2**63 - 1, "b": -(2**63) + 1, "c": 1e308, "d": "😀é", "e": json.loads("[" * 19 + "]" * 19)}
    write_json_atomic(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == {"schema_version": 1, **value}


def test_text_that_no_file_can_hold_is_written_all_the_same(tmp_path: Path) -> None:
    """As an error has it that names a file whose name is no UTF-8."""
    write_json_atomic(tmp_path / "a.json", {"reason": "no file caf\udce9"})
    assert read_json(tmp_path / "a.json")["reason"] == "no file caf?"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(UsageError, match="cannot be read"):
        read_json(tmp_path / "a.json")


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_hash(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
