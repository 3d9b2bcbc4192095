"""One command at a time in a suite's folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.errors import UsageError
from ganbench.execute.child import environment
from ganbench.execute.lock import SuiteLock

HOLD = """
import sys
from pathlib import Path
from ganbench.execute.lock import SuiteLock
with SuiteLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_command_is_refused_until_the_first_is_gone_however_it_went(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    other = subprocess.Popen(command, text=True, env=environment(1), **pipes)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(UsageError, match="another ganbench run is at work"), SuiteLock(tmp_path, patience=0.3):
        pass
    other.kill()
    other.wait()
    with SuiteLock(tmp_path, patience=5.0) as lock:
        assert lock.descriptor >= 0


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"), SuiteLock(tmp_path / "file" / "suite"):
        pass
