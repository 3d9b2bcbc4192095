"""The CUDA paths; skipped where there is no GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from stand_ins import CASES, train

from ganbench import Recipe
from ganbench.plan.modes import MODES
from ganbench.plan.recipe import ENGINE
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint
from ganbench.train.device import reference_mode
from ganbench.train.draws import Latents, Stream
from ganbench.train.loading import fits, free_memory

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def records(folder: Path, *more: str) -> dict[str, dict[str, Any]]:
    folder.mkdir()
    command = [sys.executable, "-m", "ganbench", "run", "--suite", "smoke", "--device", "cuda:0", *more]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(f.read_text()) for f in folder.rglob("result.json")]
    return {r["run_id"]: r for r in found}


def test_twice_the_same_bits(tmp_path: Path) -> None:
    """Identical weights and scores from the same command."""
    first, second = records(tmp_path / "one"), records(tmp_path / "two")
    assert first.keys() == second.keys()
    for run_id, record in first.items():
        assert record["weights"] == second[run_id]["weights"]
        assert [s["value"] for s in record["scores"]] == [s["value"] for s in second[run_id]["scores"]]


def test_penalties_run_deterministically(tmp_path: Path) -> None:
    """Double backward has a deterministic kernel for every operation of the zoo's critics."""
    found = records(tmp_path / "penalty", "--loss", "wgan-gp", "--architecture", "dcgan", "--architecture", "resnet")
    assert all(r["status"] == "completed" for r in found.values())


def test_latents_do_not_depend_on_the_device() -> None:
    """They are drawn on the CPU."""
    recipe = Recipe(ENGINE)
    here, there = (Latents(recipe, 0, torch.device(d), None).draw(64, "test").z for d in ("cpu", "cuda:0"))
    assert here is not None and there is not None
    assert torch.equal(here, there.cpu())


@pytest.mark.parametrize("case", ["images", "acgan", "audio"])
def test_data_that_is_loaded_ahead_gives_the_same_bits(case: str) -> None:
    """Batches and weights, whether the data lies on the GPU or on the host."""
    reference_mode(torch.device("cuda:0"), 1)
    try:
        resident, loaded = (CASES[case].engine(device="cuda:0") for _ in range(2))
        for name, stream in loaded.streams.items():
            there = stream.stored.cpu()
            loaded.streams[name] = Stream(there, stream.labels, stream.spec, stream.seed, torch.device("cuda:0"))
        for engine in (resident, loaded):
            train(engine, 6)
        (one, other) = (engine.streams["A"].next(50) for engine in (resident, loaded))
    finally:
        torch.set_deterministic_debug_mode("default")
    assert one.x is not None and other.x is not None and other.x.device == torch.device("cuda:0")
    assert torch.equal(one.x, other.x) and torch.equal(one.extra["index"], other.extra["index"])
    expected = resident.state()[0]
    assert not [name for name, value in loaded.state()[0].items() if not torch.equal(value, expected[name])]


def test_what_fits_on_a_gpu() -> None:
    """By what is free now."""
    free = free_memory(torch.device("cuda:0"))
    assert 0 < free <= torch.cuda.get_device_properties(0).total_memory
    assert fits(1_000, torch.device("cuda:0")) and not fits(free, torch.device("cuda:0"))


@pytest.mark.parametrize("mode", [name for name in MODES if name != "reference"])
@pytest.mark.parametrize("case", ["r1", "images", "spectral-norm"])
def test_a_mode_repeats_and_resumes_bit_for_bit(case: str, mode: str, tmp_path: Path) -> None:
    """A fused optimizer keeps its step counts on the GPU; a checkpoint puts them there again."""
    reference_mode(torch.device("cuda:0"), 1)
    try:
        whole, halted, resumed = (CASES[case].engine(device="cuda:0", mode=mode) for _ in range(3))
        train(whole, 6)
        train(halted, 3)
        save_checkpoint(tmp_path / "checkpoint.safetensors", *halted.state())
        resumed.load(*load_checkpoint(tmp_path / "checkpoint.safetensors", torch.device("cuda:0")))
        train(resumed, 6)
    finally:
        torch.set_deterministic_debug_mode("default")
    expected = whole.state()[0]
    assert not [name for name, value in resumed.state()[0].items() if not torch.equal(value, expected[name])]


def test_the_fast_mode_computes_what_it_computes_on_the_cpu() -> None:
    """One cycle on both: float32 without TF32, the same latents and data, up to rounding."""
    reference_mode(torch.device("cuda:0"), 1)
    try:
        here, there = (CASES["images"].engine(device=device, mode="fast") for device in ("cpu", "cuda:0"))
        there.load({name: value.to("cuda:0") for name, value in here.state()[0].items()}, here.state()[1])
        for engine in (here, there):
            engine.cycle()
    finally:
        torch.set_deterministic_debug_mode("default")
    for name, value in there.nets["G"].state_dict().items():
        torch.testing.assert_close(value.cpu(), here.nets["G"].state_dict()[name], rtol=1e-3, atol=1e-4)
