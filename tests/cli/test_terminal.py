"""What is printed: JSON that every stream takes and no terminal obeys, by one function."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ganbench import cli
from ganbench.cli import main
from ganbench.cli.terminal import as_json

RESULTS = Path(__file__).parents[2] / "results" / "mnist-quick"
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


def test_what_is_piped_is_as_wide_as_the_variable_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """100 columns where it says nothing, or no number that a page can be wide; other formats have no width."""

    def piped(columns: str, *words: str) -> str:
        monkeypatch.setenv("COLUMNS", columns)
        with pytest.raises(SystemExit) as ended:
            main(["leaderboard", str(RESULTS), *words])
        out = capsys.readouterr().out
        assert ended.value.code == 0
        return out

    def widest(page: str) -> int:
        return max(map(len, page.splitlines()))

    monkeypatch.delenv("COLUMNS", raising=False)
    usual = piped("")
    assert 80 < widest(usual) <= 100
    narrow, wide = piped("60"), piped("400")
    assert widest(narrow) <= 60 and 100 < widest(wide) <= 400
    heads = [line for line in wide.splitlines() if line.startswith("Entry ")]
    assert heads and all("kid" in head and "images/s" in head for head in heads), "no further tables below"
    assert not all("images/s" in line for line in usual.splitlines() if line.startswith("Entry "))
    for nonsense in ("wide", "-5", "0", "80.5", "²", "9" * 5000):
        assert piped(nonsense) == usual
    assert widest(piped("1")) <= 20
    for format in ("md", "csv", "json"):
        assert piped("60", "--format", format) == piped("", "--format", format)


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


@pytest.mark.parametrize("size", ["²", "0", "9" * 5000])
def test_help_is_drawn_whatever_size_the_environment_claims(
    size: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", size)
    monkeypatch.setenv("LINES", size)
    with pytest.raises(SystemExit) as ended:
        main(["run", "--help"])
    assert ended.value.code == 0 and "Usage: ganbench run" in capsys.readouterr().out
