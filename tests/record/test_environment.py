"""The environment of a run: enough to know the machine again, nothing that says whose it is."""

from __future__ import annotations

import getpass
import json
import platform
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from ganbench.record.environment import cpu, environment


def test_versions_and_processor() -> None:
    found = environment()
    assert found["python"] == platform.python_version() and found["gpu"] is None
    assert found["versions"]["torch"] == version("torch") and found["versions"]["numpy"] == version("numpy")
    assert found["cpu"]["cores"] >= 1 and found["cpu"]["model"]
    if Path("/proc/cpuinfo").exists() and platform.machine() == "x86_64":
        family, model, stepping = map(int, found["cpu"]["numbers"])
        assert family > 0 and model >= 0 and stepping >= 0


def test_processors_of_one_name_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual machine says `AMD EPYC` of several generations, whose last bits differ."""
    machines = set[str]()
    for family in ("25", "26"):
        words = f"cpu family\t: {family}\nmodel\t\t: 2\nmodel name\t: AMD EPYC\nflags\t: avx2\n\ncpu family\t: 0\n"
        monkeypatch.setattr(Path, "read_text", lambda path, said=words, **options: said)
        cpu.cache_clear()
        found = environment()
        assert found["cpu"]["numbers"] == [family, "2"] and found["cpu"]["instruction_sets"] == ["avx2"]
        machines.add(found["machine"])
    cpu.cache_clear()
    assert len(machines) == 2


def test_no_host_no_user_no_path() -> None:
    text = json.dumps(environment({"name": "a GPU", "memory": 1}))
    for private in (socket.gethostname(), str(Path.home()), str(Path.cwd()), sys.prefix, getpass.getuser() + "@"):
        assert private not in text
    assert platform.node() not in text and "/home" not in text


def test_the_machine_is_known_again() -> None:
    code = "from ganbench.record.environment import environment; print(environment()['machine'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = environment()["machine"]
    assert done.stdout.strip() == here and len(here) == 12
    assert environment({"name": "a GPU"})["machine"] not in (here, environment({"name": "another"})["machine"])
