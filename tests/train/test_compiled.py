"""Compiled turns: what is traced computes what the eager turn does. Torch's compiler is tried in the long run."""

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from stand_ins import CASES, StandIn, train
from stand_ins.base import TOY
from stand_ins.convolutions import CONVOLUTIONS
from stand_ins.late import LATE
from torch import nn

from ganbench import Game, Loss, Regularizer
from ganbench.train import Engine, compiled
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint
from ganbench.train.throughput import flops_of_a_cycle

TRACED = ["wgan-gp", "r1", "cgan", "ada", "instance-noise", "spectral-norm", "batch-statistics", "top-k"]
TRACED += ["recipe-two-rates", "ema", "gmmn", "cyclegan", "ali", "sgan"]


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run what was traced as it is, not compiled: the same operations, one by one; what is no input stays."""
    monkeypatch.setattr(compiled, "compile_graph", lambda graph, tensors: copy.deepcopy(graph))
    monkeypatch.setattr(compiled, "IN_ORDER", (0, 0))


def tensors(engine: Engine) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in engine.state()[0].items()}


def assert_close(engine: Engine, other: Engine) -> None:
    """All that training leaves; rounding differs, and each cycle carries it on."""
    mine, its = tensors(engine), tensors(other)
    assert mine.keys() == its.keys()
    for name, value in mine.items():
        torch.testing.assert_close(
            value, its[name], rtol=1e-4, atol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("case", [CONVOLUTIONS, *(CASES[name] for name in TRACED)], ids=lambda case: case.name)
def test_it_computes_what_the_reference_computes(case: StandIn) -> None:
    engine, eager = case.engine(mode="compiled", d_steps=2), case.engine(d_steps=2)
    for cycle in range(2):
        engine.cycle(cycle / 2, watch=cycle == 1)
        eager.cycle(cycle / 2, watch=cycle == 1)
    assert engine.mode.switches() == {"on": ["compiled"], "off": {}}
    assert_close(engine, eager)
    assert engine.counters == eager.counters
    mine, its = engine.window.poll()[0], eager.window.poll()[0]
    for part in ("losses", "gradient_norms", "answers"):
        assert mine[part] == pytest.approx(its[part], rel=1e-3, abs=1e-5)


@pytest.mark.usefixtures("traced")
def test_it_resumes_bit_for_bit_and_counting_operations_changes_nothing(tmp_path: Path) -> None:
    case = CASES["wgan-gp"]
    whole, halted, resumed = (case.engine(mode="compiled", lr_decay="linear") for _ in range(3))
    assert flops_of_a_cycle(whole) == flops_of_a_cycle(case.engine())
    train(whole, 6)
    train(halted, 3)
    save_checkpoint(tmp_path / "checkpoint.safetensors", *halted.state())
    resumed.load(*load_checkpoint(tmp_path / "checkpoint.safetensors", torch.device("cpu")))
    train(resumed, 6)
    different = [n for n, value in tensors(whole).items() if not torch.equal(value, resumed.state()[0][n])]
    assert not different


@pytest.mark.usefixtures("traced")
def test_a_step_that_looks_at_values_is_played_eagerly_and_says_why() -> None:
    def asks(D: Any, fake: Any) -> torch.Tensor:
        return -D(fake) if float(D(fake).mean()) < 100 else D(fake)

    case = StandIn("asks", Loss("asks", CASES["points"].loss.discriminator, asks))
    engine, eager = case.engine(mode="compiled"), case.engine()
    train(engine, 3)
    train(eager, 3)
    assert "its step cannot be traced" in engine.mode.switches()["off"]["compiled"]
    assert not [n for n, value in tensors(engine).items() if not torch.equal(value, eager.state()[0][n])]


def test_a_buffer_that_comes_to_be_is_played_eagerly_also_after_a_resume() -> None:
    engine, other = LATE.engine(mode="compiled"), LATE.engine(mode="compiled")
    train(engine, 2)
    other.load(*engine.state())
    for each in (engine, other):
        each.cycle(0.5)
        assert "player/D/scale is a buffer that comes to be" in each.mode.switches()["off"]["compiled"]
    assert all(torch.equal(value, other.state()[0][name]) for name, value in engine.state()[0].items())


def test_a_network_that_follows_the_progress_is_played_eagerly() -> None:
    """Its plain numbers would be those of the first step for ever."""

    class Growing(TOY.discriminator):  # type: ignore[misc,name-defined]
        def at_step(self, progress: float) -> None:
            self.share = progress

    engine = StandIn("growing", architecture=replace(TOY, discriminator=Growing)).engine(mode="compiled")
    train(engine, 2)
    assert "'at_step'" in engine.mode.switches()["off"]["compiled"]
    assert engine.nets["D"].share == 1 / 8


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("infogan", {}, "the hook 'latents'"),
        ("progan", {}, "the hook 'at_step'"),
        ("r1-lazy", {}, "every"),
        ("points", {"optimizer": "sgd"}, "only steps with optimizer=adam are compiled, and the recipe says sgd"),
        ("points", {"clip_grad_norm": 1.0}, "clip_grad_norm"),
    ],
)
def test_what_cannot_be_compiled_says_why(name: str, settings: dict[str, Any], words: str) -> None:
    switches = CASES[name].engine(mode="compiled", **settings).mode.switches()
    assert switches["on"] == [] and words in switches["off"]["compiled"]


@pytest.mark.usefixtures("traced")
def test_what_a_term_keeps_aside_for_later_is_not_compiled_away() -> None:
    """A compiled turn would leave the tensor of the first step there for ever."""

    class Recent(nn.Module):
        def __init__(self, spec: Any, recipe: Any) -> None:
            super().__init__()
            self.register_buffer("mean", torch.zeros(()))
            self.new: Any = None

        def after(self, turn: str) -> None:
            if turn == "D":
                self.mean.copy_(self.new)

    def note(own: Any, D: Any, real: Any) -> torch.Tensor:
        own.new = D(real).detach().mean()
        return 0.1 * D(real).square()

    case = StandIn("aside", others=(Regularizer("recent", note, build=Recent),))
    engine, eager = case.engine(mode="compiled"), case.engine()
    for each in (engine, eager):
        train(each, 3)
    assert "component/recent/new is a tensor" in engine.mode.switches()["off"]["compiled"]
    assert not [n for n, value in tensors(engine).items() if not torch.equal(value, eager.state()[0][n])]


def test_turns_that_move_together_are_not_compiled() -> None:
    built = CASES["ali"].game

    def together(spec: Any, recipe: Any) -> Game:
        game = built.build(spec, recipe)
        return replace(game, turns=(game.turns,))

    engine = replace(CASES["ali"], game=replace(built, build=together)).engine(mode="compiled")
    assert "turns D and G move together" in engine.mode.switches()["off"]["compiled"]


@pytest.mark.usefixtures("traced")
def test_a_torch_that_draws_in_another_order_compiles_no_turn_with_several_draws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One draw has no order: the penalty's."""
    monkeypatch.setattr(compiled, "IN_ORDER", (99, 0))
    engine, eager, penalty = CASES["ada"].engine(mode="compiled"), CASES["ada"].engine(), CASES["wgan-gp"]
    for each in (engine, eager):
        train(each, 2)
    assert "draws random numbers more than once" in engine.mode.switches()["off"]["compiled"]
    assert not [n for n, value in tensors(engine).items() if not torch.equal(value, eager.state()[0][n])]
    one = penalty.engine(mode="compiled")
    one.cycle()
    assert one.mode.switches()["on"] == ["compiled"]


@pytest.mark.full
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
@pytest.mark.parametrize("name", ["points", "wgan-gp", "cgan", "ada"])
def test_torchs_compiler_computes_it_too(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random numbers included; and it repeats bit for bit."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    engines = [CASES[name].engine(mode=mode) for mode in ("compiled", "compiled", "reference")]
    for engine in engines:
        train(engine, 2)
    if name == "ada" and not compiled._draws_in_order():  # of real samples, and of generated ones
        assert "draws random numbers more than once" in engines[0].mode.switches()["off"]["compiled"]
    else:
        assert engines[0].mode.switches()["on"] == ["compiled"]
    assert not [n for n, value in tensors(engines[0]).items() if not torch.equal(value, engines[1].state()[0][n])]
    assert_close(engines[0], engines[2])
