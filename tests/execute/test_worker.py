"""The worker's own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.execute import worker
from ganbench.execute.folders import prepare, survey
from ganbench.record.head import write_skipped

from .conftest import Planner


def test_words_of_a_record_are_one_line_that_no_terminal_obeys(
    tmp_path: Path, toy_plan: Planner, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder,) = prepare([w for w in survey(toy_plan(), tmp_path / "r\x1b[31muns") if w.spec.skip][:1])
    write_skipped(folder, {}, "does not\nfit\x1b]0;a title\x07")
    assert worker.main([str(folder)]) == 0
    assert capsys.readouterr().out == f"{folder}: skipped (does not fit]0;a title)\n".replace("\x1b", "")
    (folder / "spec.json").unlink()
    assert worker.main([str(folder)]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_words_that_find_no_room_cost_no_result(
    tmp_path: Path, toy_plan: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = prepare([w for w in survey(toy_plan((0, 1)), tmp_path) if w.spec.skip][:2])
    monkeypatch.setattr("sys.stdout", open("/dev/full", "w", buffering=1))  # noqa: SIM115 - closing it would fail, too
    assert worker.main(list(map(str, folders))) == 0
    assert len(folders) == 2 and all((folder / "result.json").is_file() for folder in folders)


def test_a_name_that_no_file_can_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert worker.main(["--weights", f"toy={'n' * 300}", "folder"]) == 2
    assert "File name too long" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["toy-identity", "toy-identity=", "=weights.pt", "toy-identity=nowhere.pt"])
def test_weights_that_are_no_file_are_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "weights.pt").touch()
    assert worker.main(["--weights", text, str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told == f"ganbench: --weights {text}: expected NAME=FILE with a file that is there\n"
