"""A suite that trains in no time, and the program as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from ganbench.execute.forkserver import ForkServer
from ganbench.plan.build import Plan, plan
from ganbench.plan.data import resolve_data
from ganbench.plan.entries import Wishes
from ganbench.plan.suite import read_suite
from ganbench.plugins import load

TOY = Path(__file__).with_name("toy.py")
MARK = "GANBENCH_TEST_OUT"
Planner = Callable[..., Plan]


@pytest.fixture(scope="session")
def toy_plan() -> Planner:
    """Plans the toy suite: settings of the recipe, seeds, losses."""
    registry = load([str(TOY)])
    suite = read_suite(TOY.with_suffix(".toml"))
    tier = suite.tier(None)
    data = resolve_data(suite, tier, registry)

    def make(seeds: tuple[int, ...] = (0,), losses: tuple[str, ...] = (), **settings: object) -> Plan:
        wishes = Wishes(losses=losses, settings=settings)  # type: ignore[arg-type]
        return plan(suite, tier, registry, data, device="cpu", wishes=wishes, seeds=seeds)

    return make


@pytest.fixture(scope="session")
def server() -> Iterator[ForkServer]:
    """One for all: it takes seconds to start."""
    with ForkServer() as server:
        yield server


def _hears_ctrl_c() -> None:
    """A shell has what it starts in the background ignore SIGINT, and the tests may have been started so."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Program:
    """`ganbench run` on the toy suite, as a process of its own."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.home = out / "toy-tiny"

    def start(self, *words: str, stdout: IO[str] | int = subprocess.PIPE) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ganbench", "run", "-p", str(TOY), "--suite", "toy", "--device", "cpu"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), MARK: str(self.out)}
        return subprocess.Popen(
            [*command, "--out", str(self.out), *words],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=_hears_ctrl_c,
        )

    def children(self) -> dict[int, str]:
        """Process id -> where its words go, of everything that commands started here have started and that runs."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    words = (entry / "cmdline").read_bytes().decode().replace("\0", " ")
                    mine = f"{MARK}={self.out}\0".encode() in (entry / "environ").read_bytes()
                    into = os.readlink(entry / "fd" / "1")
                except OSError:
                    continue
                if mine and "ganbench.execute." in words:
                    found[int(entry.name)] = into
        return found


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "runs")
