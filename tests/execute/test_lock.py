"""One command at a time in a suite's folder, with the kernel's locks and without."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from ganbench.errors import UsageError
from ganbench.execute import lease
from ganbench.execute.child import environment
from ganbench.execute.lease import Lease, process_start
from ganbench.execute.lock import SuiteLock

HOLD = """
import errno, fcntl, sys
from pathlib import Path
from ganbench.execute import lease
from ganbench.execute.lock import SuiteLock
def none(*_):
    raise OSError(errno.ENOLCK, "No locks available")
if sys.argv[2] == "without":
    fcntl.flock = none
lease.LINGER = 0.3
try:
    with SuiteLock(Path(sys.argv[1]), patience=float(sys.argv[3])):
        print("held", flush=True)
        sys.stdin.read()
except Exception as error:
    print(error, flush=True)
"""


class Commands:
    """Commands that hold a folder until they are told to let it go."""

    def __init__(self, folder: Path, locks: str) -> None:
        self.folder, self.locks, self.started = folder, locks, list[subprocess.Popen[str]]()

    def start(self, patience: float = 0.5) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", HOLD, str(self.folder), self.locks, str(patience)]
        pipes: dict[str, int] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.started.append(subprocess.Popen(words, text=True, env=environment(1), **pipes))
        return self.started[-1]


def said(command: subprocess.Popen[str]) -> str:
    out: IO[str] | None = command.stdout
    assert out is not None
    return out.readline().strip()


@pytest.fixture(params=["with", "without"])
def commands(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Commands]:
    made = Commands(tmp_path, request.param)
    yield made
    for command in made.started:
        command.kill()
        command.communicate()


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    monkeypatch.setattr(lease, "LINGER", 0.3)


def test_a_second_command_is_refused_until_the_first_is_gone_however_it_went(commands: Commands) -> None:
    first = commands.start()
    assert said(first) == "held"
    assert "another ganbench run is at work there" in said(commands.start())
    first.kill()
    first.wait()
    third = commands.start(patience=10.0)
    assert said(third) == "held"
    third.communicate("")
    assert said(commands.start()) == "held", "the third let it go"


def test_one_of_many_takes_over_from_a_command_that_was_killed(commands: Commands) -> None:
    first = commands.start()
    assert said(first) == "held"
    first.kill()
    first.wait()
    words = [said(command) for command in [commands.start(patience=1.5) for _ in range(4)]]
    assert words.count("held") == 1, words
    assert sum("another ganbench run" in w for w in words) == 3


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({"pid": 2**22 + 1}, True),  # more than the kernel gives out
        ({"pid": os.getpid(), "start": "1"}, True),  # the number came round again
        ({"boot": "another"}, True),
        ({"machine": "another"}, False),
        ({}, False),
        ({"pid": "x", "start": "1"}, True),
        ({"pid": 10**400, "start": "1"}, True),
    ],
)
def test_whose_lease_is_taken_over(tmp_path: Path, no_locks: None, change: dict[str, object], taken: bool) -> None:
    """A lease of this very process, changed."""
    assert Lease(tmp_path).refusal() is None
    file = tmp_path / ".lease"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    if taken:
        with SuiteLock(tmp_path, patience=2.0):
            assert json.loads(file.read_text())["start"] == process_start(os.getpid())
        assert not file.exists() and not (tmp_path / ".lease-taking").exists()
    else:
        with pytest.raises(UsageError, match="another ganbench run is at work") as error, SuiteLock(tmp_path, 0.5):
            pass
        assert str(file) in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_a_lease_that_cannot_be_read_is_nobodys_to_take(tmp_path: Path, no_locks: None, content: bytes) -> None:
    (tmp_path / ".lease").write_bytes(content)
    with pytest.raises(UsageError, match=r"if there is none, delete .*\.lease"), SuiteLock(tmp_path, patience=0.3):
        pass
    assert (tmp_path / ".lease").read_bytes() == content


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"), SuiteLock(tmp_path / "file" / "suite"):
        pass
