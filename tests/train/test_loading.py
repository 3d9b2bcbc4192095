"""Data on the host, loaded batch by batch, gives the bits that data on the device gives."""

from __future__ import annotations

import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from stand_ins import CASES, train
from tiny_runs import PARTS, lasting, plan_runs, read

from ganbench import SampleSpec, plugins
from ganbench.train import loading
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint
from ganbench.train.draws import Stream
from ganbench.train.engine import Engine
from ganbench.train.loading import Loader, fits, free_memory
from ganbench.train.run import Interrupted, Run

CPU = torch.device("cpu")
IMAGES = SampleSpec((1, 2, 2), (-1.0, 1.0), "image", classes=3)
X, Y = torch.arange(40, dtype=torch.uint8).reshape(10, 1, 2, 2), torch.arange(10) % 3


def pair(stored: torch.Tensor = X) -> tuple[Stream, Stream]:
    """The two kinds of stream over the same data."""
    return Stream(stored, Y, IMAGES, 5), Stream(stored, Y, IMAGES, 5, CPU)


def assert_same(one: Stream, other: Stream, *sizes: int) -> None:
    for size in sizes:
        a, b = one.next(size), other.next(size)
        assert a.x is not None and a.y is not None and b.x is not None and b.y is not None
        assert torch.equal(a.x, b.x) and a.x.dtype == b.x.dtype
        assert torch.equal(a.y, b.y) and torch.equal(a.extra["index"], b.extra["index"])
        assert one.position == other.position


def test_both_kinds_give_the_same_batches_wherever_they_stand() -> None:
    one, other = pair()
    assert_same(one, other, 4, 4, 4, 7, 25, 1)
    for position in (13, 0, 30, 9):  # resumed, undone inner steps
        one.position = other.position = position
        assert_same(one, other, 4, 4, 3)
    assert (one.resident, other.resident) == (True, False)


def test_a_memory_mapped_file_is_read_where_it_lies_and_stays_as_it_is(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X.numpy())
    before = (tmp_path / "x.npy").read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mapped = torch.from_numpy(np.load(tmp_path / "x.npy", mmap_mode="c"))
    assert_same(pair()[0], pair(mapped)[1], 4, 4, 4, 9)
    batch = pair(mapped)[1].next(4).x
    assert batch is not None
    batch.zero_()
    assert (tmp_path / "x.npy").read_bytes() == before


def test_the_next_batch_is_gathered_meanwhile_and_in_one_thread() -> None:
    asked: list[tuple[int, int]] = []
    threads: set[str] = set()
    following = threading.Event()

    def indices(position: int, count: int) -> torch.Tensor:
        asked.append((position, count))
        threads.add(threading.current_thread().name)
        if position == 8:
            following.set()
        return torch.arange(position, position + count) % 10

    loader = Loader(X, indices, CPU)
    index, samples = loader.take(4, 4)
    assert index.tolist() == [4, 5, 6, 7] and torch.equal(samples, X[4:8])
    assert following.wait(10), "nobody asked for it, and it is on its way"
    assert loader.take(8, 4)[0].tolist() == [8, 9, 0, 1]
    assert asked[:2] == [(4, 4), (8, 4)] and asked.count((8, 4)) == 1
    assert len(threads) == 1 and threads != {threading.current_thread().name}


def test_what_goes_wrong_in_the_thread_is_told_to_who_asks() -> None:
    with pytest.raises(IndexError, match="out of range"):
        Loader(X, lambda position, count: torch.full((count,), 99), CPU).take(0, 4)


@pytest.mark.parametrize("case", ["audio", "acgan", "cyclegan", "many-unrolled"])
def test_training_and_resuming_are_bitwise_the_same_for_both(case: str, tmp_path: Path) -> None:
    def engine(resident: bool) -> Engine:
        made = CASES[case].engine()
        if not resident:
            made.streams = {name: Stream(s.stored, s.labels, s.spec, s.seed, CPU) for name, s in made.streams.items()}
        return made

    whole = engine(True)
    train(whole, 6)
    file = tmp_path / "checkpoint.safetensors"
    for first, second in ((False, False), (False, True), (True, False)):
        halted, resumed = engine(first), engine(second)
        train(halted, 3)
        save_checkpoint(file, *halted.state())
        resumed.load(*load_checkpoint(file, CPU))
        train(resumed, 6)
        state, expected = resumed.state()[0], whole.state()[0]
        assert not [name for name, value in state.items() if not torch.equal(value, expected[name])]


def test_a_run_whose_data_does_not_fit_leaves_what_every_other_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = plugins.load([str(PARTS)])
    entry = 'architecture = "mlp", loss = "t-slow", recipe = { width = 8, depth = 1 }'
    spec = plan_runs(parts, tmp_path / "tiny.toml", entry, "generator_steps = 60")[-1]
    for name in ("fits", "not", "both"):
        (tmp_path / name).mkdir()
        spec.write(tmp_path / name)
    Run(spec, parts, tmp_path / "fits", CPU).train()
    stopped = Run(spec, parts, tmp_path / "both", CPU)
    stopped.stop = lambda: stopped.step >= 25
    with pytest.raises(Interrupted):
        stopped.train()
    monkeypatch.setattr(loading, "SHARE", 0.0)
    for name in ("not", "both"):
        Run(spec, parts, tmp_path / name, CPU).train()
        assert lasting(tmp_path / name) == lasting(tmp_path / "fits")
    assert [read(tmp_path / n)["throughput"]["resident_data"] for n in ("fits", "not", "both")] == [True, False, False]


def test_what_fits(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal:  9 kB\nMemAvailable:    1000 kB\nBuffers: 1 kB\n")
    assert free_memory(CPU, tmp_path / "meminfo") == 1_024_000
    assert free_memory(CPU, tmp_path / "none") == sys.maxsize
    assert 0 < free_memory(CPU) < 2**50
    assert fits(1_000, CPU) and not fits(free_memory(CPU), CPU)
