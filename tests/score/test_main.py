"""`python -m ganbench.score`: a server for many folders, a list of folders, and who is never imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ganbench.score.__main__ import main

GAN = "import pathlib, os\npathlib.Path(os.environ['WITNESS']).touch()\nraise SystemExit('a hostile GAN')\n"


def run(arguments: list[str], place: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"WITNESS": str(place / "imported"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ganbench.score", *arguments]
    return subprocess.run(command, input=stdin, env=environment, capture_output=True, text=True, check=False)


def test_one_process_serves_many_runs_without_the_gans_plugin(tiny: Any, plugin: str, tmp_path: Path) -> None:
    gan = tmp_path / "gan.py"
    gan.write_text(GAN)
    first, second = tiny.trained("first"), tiny.trained("second run")
    asked = "".join(f"{json.dumps(str(folder))}\n" for folder in (first, tmp_path / "nowhere", second))
    done = run(["-p", plugin, "-p", str(gan), "--threads", "1"], tmp_path, asked)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(a["folder"], a["ok"]) for a in answers] == [
        (str(first), True),
        (str(tmp_path / "nowhere"), False),
        (str(second), True),
    ]
    assert "cannot be read" in answers[1]["reason"] and "\n" not in answers[1]["reason"]
    assert done.returncode == 0 and "a library that talks on stdout" in done.stderr
    assert (first / "result.json").is_file() and (second / "result.json").is_file()
    assert not (tmp_path / "imported").exists()
    refused = run([], tmp_path, f"{first}\n")
    assert refused.returncode == 2 and "expected a folder as a JSON string" in refused.stderr


def test_folders_on_the_command_line(tiny: Any, plugin: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    good = tiny.trained()
    assert main(["-p", plugin, str(tmp_path / "nowhere"), str(good)]) == 2
    said = capfd.readouterr().err
    assert said.startswith("ganbench.score: ") and "Traceback" not in said and (good / "result.json").is_file()
    changed = tmp_path / "tiny_plugin.py"
    changed.write_text(Path(plugin).read_text() + "\n# edited\n")
    assert main(["-p", str(changed), str(good)]) == 2
    assert f"the code of {changed} differs from the run's" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--device", "cuda:99"], "--device cuda:99: no such GPU here"),
        (["--device", "abacus"], "--device abacus: expected cpu or cuda:0"),
        (["--threads", "0"], "--threads 0: at least 1"),
        (["--weights", "net=nowhere.pt"], "--weights net=nowhere.pt: expected NAME=FILE"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], says: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "folder"]) == 2
    said = capfd.readouterr().err
    assert says in said and said.count("\n") == 1
