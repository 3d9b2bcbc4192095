"""`ganbench plugins`: what was loaded through which door, and what was not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ganbench import __version__
from ganbench.cli import main

TOY = Path(__file__).parents[1] / "execute" / "toy.py"
LOSS = """
from ganbench import Loss, hookimpl
@hookimpl
def ganbench_losses():
    yield Loss("hinge", None, lambda D, fake: -D(fake))
"""


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["plugins", *words])
    out, told = capsys.readouterr()
    assert (ended.value.code, told) == (0, "")
    return out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(LOSS)
    (tmp_path / "broken.py").write_text("x = 1\nimport nonsense_that_is_not_there\n")
    return tmp_path


def test_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer: dict[str, Any] = json.loads(
        said(["-p", str(TOY), "--plugins-dir", str(folder), "--format", "json"], capsys)
    )
    found = {p["source"]: p for p in answer["plugins"]}
    toy, mine = found[str(TOY)], found[str(folder / "mine.py")]
    assert (toy["door"], mine["door"]) == ("-p", "--plugins-dir")
    assert toy["sha256"] == hashlib.sha256(hashlib.sha256(TOY.read_bytes()).digest()).hexdigest()
    assert "architecture/toy-linear" in toy["registers"] and mine["registers"] == ["loss/hinge"]
    own = [p for p in answer["plugins"] if p["door"].startswith("entry point ")]
    assert own and {(p["distribution"], p["version"]) for p in own} == {("ganbench", __version__)}
    (broken,) = answer["broken"]
    assert broken["source"] == str(folder / "broken.py")
    assert "broken.py, line 2: ModuleNotFoundError" in broken["reason"]
    (clash,) = answer["clashes"]
    assert "mine:hinge" in clash


def test_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head, *rows = said(["--plugins-dir", str(folder)], capsys).splitlines()
    assert head.split() == ["PLUGIN", "DOOR", "FROM", "SHA256", "REGISTERS"]
    (mine,) = [row for row in rows if row.startswith(str(folder / "mine.py"))]
    assert mine.endswith("loss/hinge")
    assert rows[-2].startswith(f"left out: {folder / 'broken.py'}: broken.py, line 2: ModuleNotFoundError")
    assert rows[-1].startswith("loss 'hinge' is claimed by mine:hinge")
