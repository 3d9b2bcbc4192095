"""Ray, on a cluster of its own that lasts for a command."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from .conftest import Program
from .test_local import wait
from .test_slurm import facts

pytest.importorskip("ray", reason="needs ray: pip install 'ganbench[ray]'")
WORDS = ("--loss", "toy-critic", "--architecture", "toy-linear")


def test_a_suite_on_ray_is_the_suite_on_this_machine(program: Program, tmp_path: Path) -> None:
    local = Program(tmp_path / "here")
    here = local.start("--format", "json")
    there = program.start("--on", "ray", "--jobs", "1", "--per-job", "2", "--ask", "num_cpus=1", "--format", "json")
    table, told = there.communicate(timeout=300)
    assert there.returncode == 0, told
    assert "5 runs to do, 2 skipped on Ray (cpu)" in told and "submitted 2 jobs to Ray: " in told
    assert here.wait(timeout=300) == 0
    assert len(facts(program.home)) == 5 and facts(program.home) == facts(local.home)
    assert json.loads(table)[0]["suite"]["id"] == "toy-tiny", "stdout holds JSON and nothing else"
    assert not list(program.home.rglob(".job"))


def test_ctrl_c_and_a_killed_worker_lose_a_run_that_the_same_command_completes(program: Program) -> None:
    words = (*WORDS, "--set", "delay=0.2", "--on", "ray", "--device", "cpu")
    command = program.start(*words)
    wait(command, lambda: list(program.home.glob("toy-linear*/events.jsonl")))
    command.send_signal(signal.SIGINT)
    _, told = command.communicate(timeout=100)
    assert command.returncode == 130 and "interrupted, its jobs are cancelled: " in told
    (error,) = program.home.glob("toy-linear*/error.json")
    assert json.loads(error.read_text())["status"] == "interrupted"
    assert not program.children() and not list(program.home.rglob(".job"))

    command = program.start(*words)
    trained: list[int] = []
    wait(
        command, lambda: trained.extend(p for p, into in program.children().items() if "toy-linear" in into) or trained
    )
    os.kill(trained[0], signal.SIGKILL)
    _, told = command.communicate(timeout=100)
    assert command.returncode == 1 and "lost (1 killed)" in told, told
    command = program.start(*words)
    _, told = command.communicate(timeout=100)
    assert command.returncode == 0, told


def test_a_cluster_that_does_not_answer_is_one_line(program: Program) -> None:
    command = program.start(*WORDS, "--on", "ray", "--device", "cpu", "--ask", "address=127.0.0.1:1")
    _, told = command.communicate(timeout=100)
    line = "ganbench: --on ray: no cluster answers at 127.0.0.1:1 ([Errno 111] Connection refused)\n"
    assert (command.returncode, told) == (2, line)
