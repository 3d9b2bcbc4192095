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

from ganbench.record.environment import environment


def test_versions_and_processor() -> None:
    found = environment()
    assert found["python"] == platform.python_version() and found["gpu"] is None
    assert found["versions"]["torch"] == version("torch") and found["versions"]["numpy"] == version("numpy")
    assert found["cpu"]["cores"] >= 1 and found["cpu"]["model"]


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
