"""Modes other than the reference: what they compute, for whom a switch is off, and that they resume exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from stand_ins import CASES, StandIn, train
from stand_ins.convolutions import CONVOLUTIONS
from torch import nn
from torch.nn import functional as F

from ganbench.plan.modes import MODES, find_mode
from ganbench.train import Engine
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint
from ganbench.train.modes import refusal
from ganbench.train.optimizers import FusedAdam

FAST = [name for name in MODES if name.startswith("fast")]


def tensors(engine: Engine) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in engine.state()[0].items()}


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert not [name for name, value in one.items() if not torch.equal(value, other[name])]


def test_one_batch_of_samples_serves_both_steps() -> None:
    """Against the textbook's loop, written out: two steps of D, then G learns from the samples of the second."""
    engine, twin = CONVOLUTIONS.engine(mode="fast", d_steps=2), CONVOLUTIONS.engine()
    generator, discriminator, recipe = twin.nets["G"], twin.nets["D"], twin.recipe
    options = {"lr": recipe["lr"], "betas": recipe["betas"]}
    optimizers = [torch.optim.Adam(net.parameters(), **options) for net in (generator, discriminator)]
    for cycle in range(3):
        for repeat in range(2):
            real = twin.streams["A"].next(16)
            fake = generator(twin.latents.draw(16, "draws", "D", cycle, repeat).z)
            loss = F.softplus(-discriminator(real.x)).mean() + F.softplus(discriminator(fake.detach())).mean()
            optimizers[1].zero_grad()
            loss.backward()
            optimizers[1].step()
        optimizers[0].zero_grad()
        F.softplus(-discriminator(fake)).mean().backward()
        optimizers[0].step()
        engine.cycle()
        for name, net in twin.nets.items():
            for key, value in net.state_dict().items():
                torch.testing.assert_close(engine.nets[name].state_dict()[key], value, rtol=2e-5, atol=2e-6)
    assert engine.counters["fake_images"] == 3 * 2 * 16
    assert engine.counters["generator_steps"] == 3


def test_the_first_step_of_d_is_the_references() -> None:
    """Sharing the samples changes what G sees, not what D is shown first."""
    plain, shared = CONVOLUTIONS.engine(), CONVOLUTIONS.engine(mode="fast")
    losses = []
    for engine in (plain, shared):
        engine.cycle()
        losses.append(engine.window.poll()[0]["losses"])
    assert losses[0]["D/ns"] == losses[1]["D/ns"]
    assert losses[0]["G/ns"] != losses[1]["G/ns"]


@pytest.mark.parametrize("mode", FAST)
@pytest.mark.parametrize(
    "case", [CONVOLUTIONS, CASES["r1-lazy"], CASES["infogan"], CASES["cyclegan"]], ids=lambda case: case.name
)
def test_a_run_in_another_mode_repeats_and_resumes_bit_for_bit(case: StandIn, mode: str, tmp_path: Path) -> None:
    whole, halted, resumed = (case.engine(mode=mode) for _ in range(3))
    train(whole, 6)
    train(halted, 3)
    save_checkpoint(tmp_path / "checkpoint.safetensors", *halted.state())
    train(halted, 6)
    assert_same(tensors(halted), tensors(whole))
    resumed.load(*load_checkpoint(tmp_path / "checkpoint.safetensors", torch.device("cpu")))
    train(resumed, 6)
    assert_same(tensors(resumed), tensors(whole))


def test_a_switch_is_off_where_it_would_be_wrong() -> None:
    """For every hard case: on only where both turns see the same samples anyway, and off with its reason."""
    reasons = {}
    for name, case in CASES.items():
        switches = case.engine(mode="fast").mode.switches()
        assert ("shared_fake" in switches["on"]) != ("shared_fake" in switches["off"])
        reasons[name] = switches["off"].get("shared_fake", "")
    assert reasons["points"] == reasons["r1-lazy"] == ""
    for name, words in {"infogan": "'latents'", "unrolled": "'opponent'", "cyclegan": "a game of its own"}.items():
        assert words in reasons[name]
    assert "accumulated" in CASES["points"].engine(mode="fast", accumulate=2).mode.off["shared_fake"]
    assert "rmsprop" in CASES["points"].engine(mode="fast", optimizer="rmsprop").mode.off["fused_optimizer"]
    assert CASES["points"].engine().mode.switches() == {"on": [], "off": {}}


@pytest.mark.parametrize("layout", ["transposed", "expanded", "channels_last"])
def test_fused_adam_equals_adam_however_gradients_lie_in_memory(layout: str) -> None:
    torch.manual_seed(0)
    start = torch.randn(4, 4, 3, 3) if layout == "channels_last" else torch.randn(6, 6)
    plain, fused = (nn.Parameter(start.clone()) for _ in range(2))
    if layout == "channels_last":
        fused.data = fused.data.to(memory_format=torch.channels_last)
    optimizers = [torch.optim.Adam([plain], 0.1), FusedAdam([fused], 0.1, fused=True)]
    for _ in range(3):
        grad = torch.randn_like(start)
        if layout == "transposed":
            grad = grad.t()
        elif layout == "expanded":
            grad = grad[0].expand_as(grad)
        plain.grad, fused.grad = grad.contiguous(), grad
        for optimizer in optimizers:
            optimizer.step()
    torch.testing.assert_close(plain.data, fused.data, rtol=1e-5, atol=1e-6)


def test_only_networks_compute_in_bfloat16() -> None:
    """Weights, answers, losses, slopes and samples are float32; and what is computed is close to the reference."""
    seen: list[torch.Tensor] = []
    engine = CONVOLUTIONS.engine(mode="fast-bf16")
    engine.nets["D"].second.register_forward_hook(lambda module, inputs, output: seen.append(output))
    real = engine.streams["A"].next(16)
    fake = engine.views["G"].make(engine.latents.draw(16, "test"))
    logits, slope = engine.views["D"](fake), engine.views["D"].slope(real)
    assert {v.dtype for v in seen} == {torch.bfloat16}
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
    assert {v.dtype for v in (fake.x, logits, slope)} == {torch.float32}
    exact = CONVOLUTIONS.engine()
    torch.testing.assert_close(logits, exact.views["D"](fake), rtol=0.02, atol=0.02)
    torch.testing.assert_close(slope, exact.views["D"].slope(real), rtol=0.1, atol=0.02)
    train(engine, 3)
    assert {v.dtype for v in tensors(engine).values() if v.is_floating_point()} == {torch.float32}
    assert all(p.dtype == torch.float32 for p in engine.nets["D"].parameters())
    seen.clear()
    engine.views_of({})["D"](real)
    assert {v.dtype for v in seen} == {torch.float32}, "samples and probes are computed exactly"


def test_a_machine_that_cannot_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    half, compiled = find_mode("fast-bf16"), find_mode("compiled")
    for amx, avx, refused in ((True, True, False), (False, True, False), (False, False, True)):
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx, raising=False)
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda avx=avx: avx, raising=False)
        assert bool(refusal(half, "cpu")) == refused
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert "no no-such-compiler on the PATH" in str(refusal(compiled, "cpu"))
    assert "use another mode" in str(refusal(compiled, "cuda"))
    assert refusal(half, "cuda") is None and refusal(find_mode("fast"), "cpu") is None
    assert "multiplies in TF32, which no processor does" in str(refusal(find_mode("fast-tf32"), "cpu"))
    assert "needs graphs, which processors do not have" in str(refusal(find_mode("captured"), "cpu"))
    assert refusal(find_mode("captured"), "cuda") is None


def test_tf32_is_for_training_steps_alone() -> None:
    """What torch is told while networks train (no processor listens), and that samples are computed without it."""
    told: dict[str, set[tuple[bool, bool]]] = {}

    def flags() -> tuple[bool, bool]:
        return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32

    for mode in ("fast-tf32", "fast"):
        told[mode] = set()
        engine = CONVOLUTIONS.engine(mode=mode)
        before = flags()
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        for parameter in engine.nets["D"].parameters():
            parameter.register_hook(lambda grad, mode=mode: told[mode].add(flags()))
        train(engine, 2)
        assert flags() == (False, False)
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
    assert told == {"fast-tf32": {(True, True)}, "fast": {(False, False)}}
