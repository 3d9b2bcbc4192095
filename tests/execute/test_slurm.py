"""A real Slurm, where there is one: whole commands, a job that is cancelled, one that is queued again."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Program

pytest.importorskip("submitit", reason="needs submitit: pip install 'ganbench[slurm]'")
WORDS = ("--loss", "toy-critic", "--architecture", "toy-linear")


def slurm(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    if not shutil.which("sbatch"):
        pytest.skip("there is no sbatch here")
    try:
        nodes = slurm("sinfo", "-h", "-o", "%T")
    except (subprocess.SubprocessError, OSError):
        pytest.skip("no Slurm answers here")
    if not {"idle", "mixed", "allocated"} & set(nodes.split()):
        pytest.skip("Slurm has no node that works")
    yield


def wait(condition: Callable[[], Any], seconds: float = 100.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)
    return found


def facts(home: Path) -> dict[str, Any]:
    """Folder -> weights, scores and samples of its run."""
    found = {}
    for file in sorted(home.glob("*/result.json")):
        result = json.loads(file.read_text())
        samples = [samples.read_bytes() for samples in sorted(file.parent.glob("samples/*.npy"))]
        found[file.parent.name] = (result["status"], result.get("weights"), result["scores"], samples)
    return found


def job_of(told: str) -> str:
    """The first job that a command says it has submitted."""
    return told.split(" to Slurm: ")[1].split(";")[0].split(" ")[0]


def test_a_suite_on_slurm_is_the_suite_on_this_machine(program: Program, tmp_path: Path) -> None:
    local = Program(tmp_path / "here")
    here = local.start("--format", "json")
    there = program.start("--on", "slurm", "--per-job", "2", "--ask", "time=0:10:00", "--format", "json")
    table, told = there.communicate(timeout=300)
    assert there.returncode == 0, told
    assert "5 runs to do, 2 skipped on Slurm (cpu)" in told and "submitted 2 jobs to Slurm: " in told
    assert "[5/5]" in told
    _, failed = here.communicate(timeout=300)
    assert here.returncode == 0, failed
    assert len(facts(program.home)) == 5 and facts(program.home) == facts(local.home)
    assert json.loads(table)[0]["suite"]["id"] == "toy-tiny"
    script = next((program.home / ".jobs").glob("*_submission.sh")).read_text()
    assert "#SBATCH --time=10\n" in script


def test_a_cancelled_job_is_a_row_and_the_same_command_completes_it(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run waits in its 20th batch for as long as the gate is there."""
    gate = tmp_path / "gate"
    gate.touch()
    monkeypatch.setenv("GANBENCH_TEST_GATE", str(gate))
    words = (*WORDS, "--on", "slurm")
    submitted = program.start(*words, "--per-job", "2", "--detach")
    _, told = submitted.communicate(timeout=120)
    assert submitted.returncode == 0 and "the same command without --detach waits" in told
    job = job_of(told)
    elsewhere = program.start(*WORDS)
    _, told = elsewhere.communicate(timeout=120)
    assert elsewhere.returncode == 1 and "left to other processes" in told

    follow = program.start(*words)
    wait(lambda: list(program.home.glob("toy-linear*/events.jsonl")))
    slurm("scancel", job)
    plan, _ = follow.communicate(timeout=120)
    assert follow.returncode == 1 and f"in jobs that were submitted before: {job}\n" in plan
    (error,) = program.home.glob("toy-linear*/error.json")
    lost = json.loads(error.read_text())
    assert (lost["status"], lost["reason"]) == ("interrupted", f"its job was cancelled (job {job} of Slurm)")
    assert not program.children(), "nothing is left behind"
    gate.unlink()
    again = program.start(*words)
    plan, told = again.communicate(timeout=120)
    assert again.returncode == 0 and "1 run to do (1 left as they are) on Slurm (cpu)" in plan, told


def test_a_job_that_makes_room_is_queued_again_and_goes_on_bit_for_bit(program: Program, tmp_path: Path) -> None:
    local = Program(tmp_path / "here")
    words = (*WORDS, "--set", "delay=0.1")
    here = local.start(*words)
    there = program.start(*words, "--on", "slurm", "--per-job", "2")
    wait(lambda: list(program.home.glob("toy-linear*/events.jsonl")))
    job = next((program.home / ".jobs").glob("*.name")).read_text().strip()
    slurm("scancel", "--signal=USR2", job)
    wait(lambda: slurm("squeue", "-h", "-j", job, "-o", "%T").strip() == "PENDING")
    assert list(program.home.glob("toy-linear*/checkpoint.safetensors"))
    slurm("scontrol", "update", f"JobId={job}", "StartTime=now+5")
    _, told = there.communicate(timeout=300)
    assert there.returncode == 0, told
    assert here.wait(timeout=120) == 0
    assert len(facts(program.home)) == 2 and facts(program.home) == facts(local.home)


def test_a_partition_that_is_none_is_one_line(program: Program) -> None:
    command = program.start(*WORDS, "--on", "slurm", "--ask", "partition=nowhere-at-all")
    _, told = command.communicate(timeout=120)
    assert command.returncode == 2
    assert "ganbench: --on slurm: no job was submitted: invalid partition specified: nowhere-at-all; " in told
    assert "there are: " in told and not list(program.home.glob("*/.job"))
