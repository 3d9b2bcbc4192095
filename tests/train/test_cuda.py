"""The CUDA paths; skipped where there is no GPU."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from stand_ins import CASES, StandIn, train
from stand_ins.convolutions import CONVOLUTIONS
from torch import nn

from ganbench import Recipe, Regularizer
from ganbench.plan.modes import MODES
from ganbench.plan.recipe import ENGINE
from ganbench.train import Engine, graphs
from ganbench.train.bench import peak_rate
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint
from ganbench.train.device import reference_mode
from ganbench.train.draws import Latents, Stream
from ganbench.train.loading import fits, free_memory
from ganbench.train.sampling import Sampler

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
GPU = torch.device("cuda:0")
FOR_GPUS = [name for name, mode in MODES.items() if name != "reference" and mode.only != "cpu"]
SOME = [CONVOLUTIONS, *(CASES[n] for n in ("wgan-gp", "cgan", "ada", "spectral-norm", "many-accumulated"))]


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


@pytest.fixture
def exact() -> Iterator[None]:
    """The process as a run has it."""
    reference_mode(GPU, 1)
    yield
    torch.set_deterministic_debug_mode("default")


def different(engine: Engine, other: Engine) -> list[str]:
    expected = other.state()[0]
    return [name for name, value in engine.state()[0].items() if not torch.equal(value, expected[name])]


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("mode", ["reference", "captured"])
@pytest.mark.parametrize("case", ["images", "acgan", "audio"])
def test_data_that_is_loaded_ahead_gives_the_same_bits(case: str, mode: str) -> None:
    """Batches and weights, whether the data lies on the GPU or on the host."""
    resident, loaded = (CASES[case].engine(device="cuda:0", mode=mode) for _ in range(2))
    for name, stream in loaded.streams.items():
        loaded.streams[name] = Stream(stream.stored.cpu(), stream.labels, stream.spec, stream.seed, GPU)
    for engine in (resident, loaded):
        train(engine, 6)
    (one, other) = (engine.streams["A"].next(50) for engine in (resident, loaded))
    assert one.x is not None and other.x is not None and other.x.device == GPU
    assert torch.equal(one.x, other.x) and torch.equal(one.extra["index"], other.extra["index"])
    assert not different(loaded, resident)


def test_what_fits_on_a_gpu() -> None:
    """By what is free now."""
    free = free_memory(GPU)
    assert 0 < free <= torch.cuda.get_device_properties(0).total_memory
    assert fits(1_000, GPU) and not fits(free, GPU)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("mode", FOR_GPUS)
@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
def test_a_mode_repeats_and_resumes_bit_for_bit(case: StandIn, mode: str, tmp_path: Path) -> None:
    """A fused optimizer keeps its step counts on the GPU, and a graph knows tensors by where they lie; loading puts
    everything there again, into a fresh engine and into one that has its graph, losses not yet polled included. Samples
    in between change nothing."""
    whole, halted, fresh, used = (case.engine(device="cuda:0", mode=mode) for _ in range(4))
    train(whole, 6)
    train(halted, 3)
    sampler = Sampler(halted, case.dtype, seed=0)
    sampler.draw(sampler.networks("last-ema" if halted.averages else "last-raw"), 20, "look")
    save_checkpoint(tmp_path / "checkpoint.safetensors", *halted.state())
    train(halted, 6)
    assert not different(halted, whole)
    train(used, 5)
    for engine in (fresh, used):
        engine.load(*load_checkpoint(tmp_path / "checkpoint.safetensors", torch.device("cpu")))  # as a run does
        train(engine, 6)
        assert not different(engine, whole)
        assert all(math.isfinite(value) for value in engine.window.poll()[0]["losses"].values())


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("mode", [mode for mode in FOR_GPUS if MODES[mode].captured])
@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
def test_a_graph_computes_what_its_body_computes(case: StandIn, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replayed, and played by Python on the same device: the same bits, losses and norms included."""
    settings: dict[str, Any] = {"lr_decay": "linear", "ema_half_life": 200.0, "ema_ramp_up": 0.5}
    replayed = case.engine(device="cuda:0", mode=mode, **settings)
    train(replayed, 5)
    assert "captured" in replayed.mode.switches()["on"], replayed.mode.off
    monkeypatch.setattr(graphs, "graph", lambda body, device: body)
    played = case.engine(device="cuda:0", mode=mode, **settings)
    train(played, 5)
    assert not different(replayed, played)
    assert replayed.window.poll() == played.window.poll()


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("case", ["images", "r1", "cgan", "ema", "spectral-norm"])
def test_a_captured_cycle_computes_what_the_reference_computes(case: str) -> None:
    """Where nothing random is drawn in the step; up to rounding."""
    engine, eager = (CASES[case].engine(device="cuda:0", mode=mode) for mode in ("captured", "reference"))
    for one in (engine, eager):
        train(one, 3)
    assert engine.mode.switches() == {"on": ["fused_optimizer", "captured"], "off": {}}
    expected = eager.state()[0]
    for name, value in engine.state()[0].items():
        torch.testing.assert_close(value.cpu(), expected[name].cpu(), rtol=1e-3, atol=1e-4)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("mode", ["reference", *FOR_GPUS])
@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
def test_no_step_waits_for_the_gpu(case: StandIn, mode: str) -> None:
    """Torch raises where the host would wait; the poll, which may, comes afterwards."""
    engine = case.engine(device="cuda:0", mode=mode)
    train(engine, 2)
    torch.cuda.set_sync_debug_mode("error")
    try:
        train(engine, 5)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert all(math.isfinite(value) for value in engine.window.poll()[0]["losses"].values())


class Looking(nn.Module):
    """A component that looks at its memory in every step: at a value, or in a way that only a capture notices."""

    def __init__(self, spec: Any, recipe: Any) -> None:
        super().__init__()
        self.register_buffer("k", torch.zeros(()))

    def after(self, turn: str) -> None:
        if self.k < 3:
            self.k.add_(1)


class Waiting(Looking):
    def after(self, turn: str) -> None:
        torch.cuda.synchronize()


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("component", "warm_up"), [(Looking, 2), (Waiting, 2), (Waiting, 0)])
def test_what_cannot_be_captured_is_played_eagerly(
    component: Any, warm_up: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused in the rehearsal, in the warm-up, or by CUDA itself while it captures; random numbers, streams and memory
    are usable afterwards, and another engine in the same process can be captured."""
    monkeypatch.setattr(graphs, "WARM_UP", warm_up)
    others = (*CASES["wgan-gp"].others, Regularizer("looking", build=component))
    case = dataclasses.replace(CASES["wgan-gp"], name="looking", others=others)
    engine, again = (case.engine(device="cuda:0", mode="captured") for _ in range(2))
    train(engine, 3)
    train(again, 3)
    assert "cannot be captured" in engine.mode.off["captured"]
    assert not different(engine, again)
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
    other = CASES["wgan-gp"].engine(device="cuda:0", mode="captured")
    train(other, 3)
    assert "captured" in other.mode.switches()["on"], other.mode.off


@pytest.mark.usefixtures("exact")
def test_tf32_rounds_while_networks_train_and_not_when_they_sample() -> None:
    product: list[torch.Tensor] = []
    a = torch.randn(512, 512, device=GPU)

    class Multiplying(nn.Module):
        def __init__(self, spec: Any, recipe: Any) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(512, 512))

        def after(self, turn: str) -> None:
            self.seen.copy_(a @ a)

    for mode in ("fast", "fast-tf32"):
        case = StandIn("multiplying", others=(Regularizer("multiplying", build=Multiplying),))
        engine = case.engine(device="cuda:0", mode=mode)
        train(engine, 2)
        assert "captured" in engine.mode.switches()["on"], engine.mode.off
        product.append(engine.parts["multiplying"].module.seen)
        assert torch.equal(a @ a, product[0])
    assert not torch.equal(product[0], product[1])
    torch.testing.assert_close(product[0], product[1], rtol=0.01, atol=0.3)


@pytest.mark.usefixtures("exact")
def test_the_fast_mode_computes_what_it_computes_on_the_cpu() -> None:
    """One cycle on both: the same latents and data, up to the rounding of float32; TF32 would be further off.

    With a large eps, Adam does not make a whole step of a gradient that is nothing but rounding.
    """
    here, there = (CASES["images"].engine(device=device, mode="fast", eps=0.01) for device in ("cpu", "cuda:0"))
    there.load(*here.state())
    before = {name: value.clone() for name, value in here.nets["G"].state_dict().items()}
    for engine in (here, there):
        engine.cycle()
    for name, value in there.nets["G"].state_dict().items():
        moved, expected = (w.cpu() - before[name] for w in (value, here.nets["G"].state_dict()[name]))
        assert expected.abs().max() > 0.1 * here.recipe["lr"]
        torch.testing.assert_close(moved, expected, rtol=0, atol=1e-4 * here.recipe["lr"])


@pytest.mark.usefixtures("exact")
def test_the_best_rate_is_not_that_of_products_waited_for() -> None:
    """Against one product of 2,048 at a time, which leaves a large GPU idle in between.

    The process is as a run has it: torch looks once at what cuBLAS was told, at the first product of all.
    """
    a = torch.randn(2_048, 2_048, device=GPU, dtype=torch.bfloat16)
    rates = []
    for _ in range(20):
        torch.cuda.synchronize()
        start = time.perf_counter()
        a @ a
        torch.cuda.synchronize()
        rates.append(2 * 2_048**3 / (time.perf_counter() - start))
    assert peak_rate(GPU, torch.bfloat16) > max(rates[5:])


def test_runs_that_share_a_gpu_say_so(tmp_path: Path) -> None:
    """Two at a time on one device: the bits of one at a time, and no throughput."""
    alone, together = records(tmp_path / "one"), records(tmp_path / "two", "--jobs", "2")
    assert alone.keys() == together.keys()
    for run_id, record in together.items():
        assert record["weights"] == alone[run_id]["weights"]
    timed = [r["throughput"] for r in together.values() if r.get("throughput")]
    assert timed and all(t["shared_device"] for t in timed)
    assert not any(r["throughput"]["shared_device"] for r in alone.values() if r.get("throughput"))
