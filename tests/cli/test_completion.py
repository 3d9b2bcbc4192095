"""What a shell completes a word to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.cli import main

TOY = str(Path(__file__).parents[1] / "execute" / "toy.py")
PLUGIN = """
{}
from ganbench import Loss, hookimpl
@hookimpl
def ganbench_losses():
    yield Loss("{}", None, lambda D, fake: -D(fake))
"""


def completed(words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The candidates for the last word."""
    monkeypatch.setenv("_GANBENCH_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    with pytest.raises(SystemExit) as ended:
        main([])
    out, told = capsys.readouterr()
    assert (ended.value.code, told) == (0, "")
    return out.split()


@pytest.mark.parametrize(
    ("words", "candidates"),
    [
        ("ganbench lis", ["list"]),
        ("ganbench run --arch", ["--architecture"]),
        ("ganbench run --suite mni", ["mnist"]),
        ("ganbench run --suite mnist --tier ", ["paper", "quick", "standard"]),
        (f"ganbench run -p {TOY} --suite {TOY.replace('.py', '.toml')} --tier t", ["tiny"]),
        (f"ganbench run -p {TOY} --architecture toy-", ["toy-image", "toy-linear"]),
        (f"ganbench run --loss h -p {TOY} --loss toy-c", ["toy-critic"]),
        ("ganbench run --preset sn", ["sngan"]),
        ("ganbench run --regularizer spec", ["spectral-norm"]),
        ("ganbench bench --regularizer spec", ["spectral-norm"]),
        ("ganbench run --extractor mnist", ["mnist-cnn"]),
        ("ganbench run --extractor mnist-cnn@f", ["mnist-cnn@features"]),
        ("ganbench run --metric k", ["kid"]),
        ("ganbench run --dataset mnist-", ["mnist-5k"]),
        ("ganbench run --mode fast-b", ["fast-bf16"]),
        ("ganbench evaluate --suite mnist --tier q", ["quick"]),
        ("ganbench bench --preset sn", ["sngan"]),
        ("ganbench list arch", ["architecture"]),
        ("ganbench info lsg", ["lsgan"]),
        ("ganbench info dcg", ["dcgan"]),
        ("ganbench info preset/dc", ["preset/dcgan"]),
        ("ganbench check preset", ["preset/dcgan", "preset/wgan-gp"]),
        ("ganbench run --suite mnsit --tier ", []),
        ("ganbench run -p nowhere.py --loss ", []),
        ("ganbench run --plugins-dir nowhere --loss ", []),
    ],
)
def test_words_are_completed(
    words: str, candidates: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = completed(words, capsys, monkeypatch)
    assert set(candidates) <= set(found) and bool(candidates) == bool(found)
    assert all(word.startswith(words.split(" ")[-1]) for word in found)


def test_what_a_word_stands_for_is_plain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell reads it as a part of a command, and the library before it as markup."""
    file = tmp_path / "odd.py"
    file.write_text(
        '"""[/bold] $(touch here) `touch here` \'"\x1b[31m ' + "many words " * 20 + '"""' + PLUGIN.format("", "odd")
    )
    monkeypatch.setenv("_GANBENCH_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"ganbench run -p {file} --loss od")
    with pytest.raises(SystemExit):
        main([])
    out, told = capsys.readouterr()
    assert told == "" and out.startswith(
        '_arguments \'*: :(("odd":"(/bold) \\$(touch here) \\`touch here\\` \'\'""(31m many'
    )
    assert out.count("\n") == 1 and len(out) < 200


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_installing_it(tmp_path: Path) -> None:
    """For the shell that it is typed in."""
    done = subprocess.run(
        ["bash", "-c", '"$0" -m ganbench --install-completion; exit $?', sys.executable],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (script,) = (tmp_path / ".bash_completions").iterdir()
    assert "_GANBENCH_COMPLETE=complete_bash" in script.read_text()
