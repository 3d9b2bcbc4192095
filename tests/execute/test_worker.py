"""The worker's own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.execute import worker


@pytest.mark.parametrize("text", ["toy-identity", "toy-identity=", "=weights.pt", "toy-identity=nowhere.pt"])
def test_weights_that_are_no_file_are_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "weights.pt").touch()
    assert worker.main(["--weights", text, str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told == f"ganbench: --weights {text}: expected NAME=FILE with a file that is there\n"
