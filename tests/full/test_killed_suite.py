"""A whole suite whose every process is killed 20 times: nothing is lost, and the leaderboard is the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc"),
]
MARK = "GANBENCH_TEST_KILLED"
COMMAND = [sys.executable, "-m", "ganbench", "run", "--suite", "smoke", "--format", "json"]
KILLS = 20
CLOCKS = {"seconds", "images_per_second", "peak_memory_bytes"}


def start(folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, MARK: str(folder)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(COMMAND, cwd=folder, env=environment, start_new_session=True, **pipes)


def processes(folder: Path) -> set[int]:
    """All that a command started in this folder has started, itself included."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if f"{MARK}={folder}\0".encode() in (entry / "environ").read_bytes():
                    found.add(int(entry.name))
            except OSError:
                continue
    return found


def kill_all(folder: Path) -> None:
    """SIGKILL to every process at once, so that none can put its house in order."""
    there = processes(folder)
    for pid in there:
        os.kill(pid, signal.SIGSTOP)
    for pid in there | processes(folder):
        os.kill(pid, signal.SIGKILL)


def boards(text: str) -> Any:
    """A leaderboard without clock times."""

    def lasting(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: lasting(v) for k, v in value.items() if k not in CLOCKS}
        return [lasting(v) for v in value] if isinstance(value, list) else value

    return lasting(json.loads(text))


def results(folder: Path) -> dict[str, Any]:
    records = [json.loads(f.read_text()) for f in folder.glob("runs/*/*/result.json")]
    return {r["run_id"]: {k: r[k] for k in ("status", "weights", "scores", "sanity")} for r in records}


def test_killed_twenty_times(tmp_path: Path) -> None:
    whole, folder, draw = tmp_path / "whole", tmp_path / "killed", random.Random(6)
    began = time.monotonic()
    expected, said = start(whole).communicate()
    length = time.monotonic() - began
    board = boards(expected)
    assert results(whole), said
    kills, done = 0, set[Path]()
    while kills < KILLS:
        command = start(folder)
        time.sleep(draw.uniform(0.0, min(length / 4, 20.0)))
        if command.poll() is not None:  # all is done: throw some results away, and go on killing
            command.communicate()
            for file in sorted(folder.glob("runs/*/*/result.json"))[:: draw.randrange(1, 4)]:
                for left in (file, file.with_name("trained.json")):
                    left.unlink()
            done = set()
            continue
        kill_all(folder)
        command.communicate()
        kills += 1
        now = set(folder.glob("runs/*/*/result.json"))
        assert done <= now, "what was done stays done"
        done = now
    last = start(folder)
    out, said = last.communicate()
    assert last.returncode == 0, said
    assert boards(out) == board
    assert results(folder) == results(whole)
    assert not processes(folder)
    left = [p for p in folder.rglob("*") if "unfinished" in p.name or "checkpoint" in p.name]
    assert not left, left
