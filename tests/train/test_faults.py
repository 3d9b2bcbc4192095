"""Memory that runs out, disks that are full, clocks that are set: what a run makes of them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from tiny_runs import PARTS, lasting, plan_runs, read

from ganbench import plugins
from ganbench.execute.child import environment
from ganbench.plan.spec import RunSpec
from ganbench.train.__main__ import main
from ganbench.train.device import is_out_of_memory, reference_mode
from ganbench.train.events import EventLog
from ganbench.train.room import Room
from ganbench.train.run import Run

CPU = torch.device("cpu")
MLP = 'architecture = "mlp", loss = "non-saturating", recipe = { width = 8, depth = 1 }'


@pytest.fixture(scope="module")
def parts() -> Iterator[plugins.Registry]:
    reference_mode(CPU, 1)
    yield plugins.load([str(PARTS)])
    torch.set_deterministic_debug_mode("default")


@pytest.fixture(scope="module")
def spec(parts: plugins.Registry, tmp_path_factory: pytest.TempPathFactory) -> RunSpec:
    file = tmp_path_factory.mktemp("suite") / "tiny.toml"
    return plan_runs(parts, file, MLP, "generator_steps = 40")[-1]


@pytest.fixture(scope="module")
def whole(spec: RunSpec, parts: plugins.Registry, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the run leaves where nothing goes wrong."""
    folder = tmp_path_factory.mktemp("whole")
    spec.write(folder)
    Run(spec, parts, folder, CPU).train()
    return lasting(folder)


@contextlib.contextmanager
def no_file_beyond(size: int) -> Iterator[Callable[[], None]]:
    """A block in which the kernel lets no file of this process grow beyond a size; calling it ends that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield room
    finally:
        room()


def test_an_event_that_finds_no_room_leaves_no_torn_line(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    log = EventLog(file)
    log.write({"kind": "progress", "cycle": 1})
    size = log.offset
    with no_file_beyond(size + 10) as room:
        with pytest.raises(OSError) as error:
            log.write({"kind": "progress", "cycle": 2}, {"kind": "progress", "cycle": 3})
        assert error.value.errno == errno.EFBIG and file.stat().st_size == size == log.offset
        room()
        log.write({"kind": "progress", "cycle": 2}, {"kind": "progress", "cycle": 3})
    log.write({"kind": "progress", "cycle": 4, "of": "caf\udce9"})
    log.close()
    assert [json.loads(line)["cycle"] for line in file.read_text().splitlines()] == [1, 2, 3, 4]


@pytest.mark.parametrize("size", [5_000, 40_000], ids=["events", "checkpoint"])
def test_a_run_waits_for_room_and_goes_on_bit_for_bit(
    spec: RunSpec,
    parts: plugins.Registry,
    whole: dict[str, object],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    size: int,
) -> None:
    spec.write(tmp_path)
    run = Run(spec, parts, tmp_path, CPU, checkpoint_seconds=60.0 if size < 10_000 else 0.0)
    beats: list[None] = []
    with no_file_beyond(size) as room:

        def beat() -> None:
            beats.append(None)
            if len(beats) == 2:
                room()

        run.room = Room(tmp_path, lambda: False, beat)
        run.room.every = 0.01
        run.train()
    assert len(beats) == 2, "it tried again until there was room"
    assert lasting(tmp_path) == whole
    assert capsys.readouterr().err.count("no room on the disk") == 1


def test_a_run_that_waits_in_vain_is_lost_and_the_next_command_goes_on(
    spec: RunSpec,
    whole: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On a disk of its own that is too small, and then grows."""
    monkeypatch.setattr("ganbench.train.room.PATIENCE", 0.0)
    monkeypatch.setattr(sys, "argv", ["ganbench.train", "-p", str(PARTS), str(tmp_path / "run")])
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "ganbench-test", str(tmp_path)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs to mount a small disk")
    try:
        folder = tmp_path / "run"
        spec.write(folder)
        assert main() == 1
        assert "no room on the disk" in capsys.readouterr().err.splitlines()[-1]
        for file in folder.rglob("*.json"):
            json.loads(file.read_text())
        assert not list(folder.rglob("*unfinished*"))
        assert "no room on the disk" in read(folder, "error.json")["reason"]
        subprocess.run(["mount", "-o", "remount,size=16m", str(tmp_path)], check=True)
        assert main() == 0
        assert lasting(folder) == whole
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def test_no_duration_is_taken_from_a_clock_that_can_be_set(
    spec: RunSpec, parts: plugins.Registry, whole: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wall clock goes backwards by an hour each time that somebody looks."""
    hours = iter(range(10**6, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(hours)))
    spec.write(tmp_path)
    Run(spec, parts, tmp_path, CPU).train()
    assert lasting(tmp_path) == whole
    assert 0.0 < read(tmp_path)["counters"]["seconds"] < 300.0


SHORT = """
import resource, sys
from pathlib import Path
import torch
from ganbench import plugins
from ganbench.train.__main__ import main
torch.ones(8, 8, requires_grad=True).matmul(torch.ones(8, 8)).sum().backward()
plugins.load([sys.argv[2]])
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 400 * 2**20,) * 2)
sys.exit(main())
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="measures a process in /proc")
def test_a_run_that_is_out_of_memory_says_which_batch_fits(parts: plugins.Registry, tmp_path: Path) -> None:
    """In a process that may take 400 MiB: each sample takes 3 KiB several times over."""

    def train(batch_size: int) -> tuple[int, Path]:
        spec = plan_runs(parts, tmp_path / "tiny.toml", MLP, "generator_steps = 2", batch_size=batch_size)[-1]
        folder = tmp_path / str(batch_size)
        spec.write(folder)
        words = [sys.executable, "-c", SHORT, "-p", str(PARTS), str(folder)]
        alone = {**environment(1), "MALLOC_ARENA_MAX": "1"}  # the limit counts what threads' arenas reserve, too
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=alone)
        assert done.returncode in (0, 1), done.stderr
        return done.returncode, folder

    code, folder = train(2**17)
    error = read(folder, "error.json")
    assert code == 1 and error["status"] == "oom", error
    assert "not enough memory" in error["reason"] or "can't allocate memory" in error["reason"]
    fits = int(error["reason"].rpartition("--set batch_size=")[2])
    assert fits in [2**n for n in range(17)]
    code, folder = train(fits)
    assert code == 0, f"what is promised to fit fits; {fits}: {read(folder, 'error.json')['reason']}"


@pytest.mark.parametrize(
    ("error", "meant"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            True,
        ),
        (RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"), True),
        (RuntimeError("CUDA error: operation not permitted when stream is capturing"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (OSError(errno.ENOSPC, "No space left on device"), False),
    ],
)
def test_what_running_out_of_memory_looks_like(error: Exception, meant: bool) -> None:
    assert is_out_of_memory(error) is meant
