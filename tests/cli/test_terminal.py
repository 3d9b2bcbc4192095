"""What is printed: JSON that every stream takes and no terminal obeys, by one function."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ganbench import cli
from ganbench.cli import main
from ganbench.cli.terminal import as_json

ODD = {
    "é · 😀": ["\x1b[31m", "\x9b31m\x7f", "caf\udce9", "\u202e\u200b", 'a\nb\t"\\', "\U000e0041"],
    "n": [1.5, None, 2**70],
}


def test_json_is_printable_and_says_what_it_was_given() -> None:
    page = as_json(ODD)
    assert all(c.isprintable() or c == "\n" for c in page) and page.encode()
    assert json.loads(page) == ODD and "é · 😀" in page


def test_no_verb_prints_json_otherwise() -> None:
    files = [*Path(next(iter(cli.__path__))).glob("*.py")]
    found = {file.name for file in files if re.search(r"\bdumps\(", file.read_text(encoding="utf-8"))}
    assert len(files) > 20 and found == {"terminal.py"}


def test_a_folder_whose_name_is_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.chdir(tmp_path)
    toy = Path(__file__).parents[1] / "execute" / "toy.py"
    with pytest.raises(SystemExit) as ended:
        main(["run", "-p", str(toy), "--suite", str(toy.with_suffix(".toml")), "--device", "cpu", "--dry-run",
              "--format", "json", "--out", "caf\udce9"])  # fmt: skip
    said = capfdbinary.readouterr()
    assert ended.value.code == 0, said.err
    assert json.loads(said.out)["folder"] == "caf\udce9/toy-tiny"
