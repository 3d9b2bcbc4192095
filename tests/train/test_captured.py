"""Captured cycles without a GPU: the body of the graph computes the eager cycle, and what it reads and writes stays.

The graph is played in three ways: its body as it is, its body written down and replayed (`tape.py`), and on a GPU as a
graph of CUDA (`test_cuda.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from stand_ins import CASES, StandIn, train
from stand_ins.base import TOY
from stand_ins.convolutions import CONVOLUTIONS
from stand_ins.late import LATE
from tape import tape
from torch import Tensor, nn

from ganbench import Regularizer
from ganbench.plan.seeds import derive
from ganbench.train import Engine, graphs, modes
from ganbench.train import engine as engine_module
from ganbench.train.averaging import Average
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint
from ganbench.train.draws import Stream, seed_default
from ganbench.train.sampling import Sampler
from ganbench.train.throughput import flops_of_a_cycle

KINDS = ["wgan-gp", "cgan", "ada", "spectral-norm", "many-accumulated"]
MORE = ["dragan", "acgan", "infogan", "began", "historical-averaging", "latent-optimisation", "simultaneous"]
MORE += ["cyclegan", "ali"]


def cases(*names: str, long: bool = True) -> Any:
    """The networks of convolutions and stand-ins by name; long: all others too, in the long run."""
    chosen = [CONVOLUTIONS, *(CASES[name] for name in names)]
    rest = [case for name, case in CASES.items() if name not in names] if long else []
    marked = [pytest.param(case, marks=pytest.mark.full) for case in rest]
    return pytest.mark.parametrize("case", [*chosen, *marked], ids=lambda case: case.name)


@pytest.fixture(autouse=True)
def graphs_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a processor play the body of the graph."""
    monkeypatch.setattr(modes, "GRAPHS", ("cpu", "cuda"))


@pytest.fixture
def taped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "graph", tape)


def tensors(engine: Engine) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in engine.state()[0].items()}


def different(engine: Engine, other: Engine) -> list[str]:
    mine, its = tensors(engine), tensors(other)
    assert mine.keys() == its.keys()
    return [name for name, value in mine.items() if not torch.equal(value, its[name])]


@pytest.fixture
def seeded_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Eager cycles that draw as captured ones do."""

    def cycle(engine: Engine, progress: float, watch: bool) -> None:
        seed_default(derive(engine.seed, "cycle", engine.counters["cycles"]), engine.device)
        with monkeypatch.context() as patch:
            patch.setattr(engine_module, "seed_default", lambda seed, device: None)
            engine.cycle(progress, watch=watch)

    yield cycle


@cases(*KINDS, *MORE)
def test_it_computes_what_the_reference_computes(case: StandIn, seeded_once: Any) -> None:
    """Every hard case, random numbers included; where a cycle cannot be captured, it is played eagerly."""
    engine, eager = case.engine(mode="captured"), case.engine()
    for cycle in range(2):
        engine.cycle(cycle / 2, watch=cycle == 1)
        if "captured" in engine.mode.off:
            eager.cycle(cycle / 2, watch=cycle == 1)
        else:
            seeded_once(eager, cycle / 2, cycle == 1)
    mine, its = tensors(engine), tensors(eager)
    assert mine.keys() == its.keys()
    for name, value in mine.items():
        torch.testing.assert_close(value, its[name], rtol=1e-4, atol=1e-5, msg=lambda text, n=name: f"{n}: {text}")
    assert engine.counters == eager.counters and engine.state()[1] == eager.state()[1]
    one, other = engine.window.poll()[0], eager.window.poll()[0]
    for part in ("losses", "gradient_norms", "answers"):
        assert one[part] == pytest.approx(other[part], rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("mode", ["captured", pytest.param("fast", marks=pytest.mark.full), "fast-bf16"])
@cases(*KINDS, long=False)
def test_no_number_of_the_host_is_frozen_in_it(case: StandIn, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replayed without Python it gives the bits of the body that Python plays: rates, shares, progress, data, seeds."""
    settings: dict[str, Any] = {"lr_decay": "linear", "ema_half_life": 200.0, "ema_ramp_up": 0.5}
    played = case.engine(mode=mode, **settings)
    train(played, 3)
    monkeypatch.setattr(graphs, "graph", tape)
    replayed = case.engine(mode=mode, **settings)
    train(replayed, 3)
    assert "captured" in replayed.mode.switches()["on"]
    assert not different(replayed, played)
    assert replayed.window.poll() == played.window.poll()


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("mode", [pytest.param("captured", marks=pytest.mark.full), "fast"])
@cases(*KINDS, long=False)
def test_it_resumes_bit_for_bit(case: StandIn, mode: str, tmp_path: Path) -> None:
    """Into a fresh engine and into one that has a graph already; samples and FLOPs in between change nothing."""
    whole, halted, fresh, used = (case.engine(mode=mode, lr_decay="linear") for _ in range(4))
    train(whole, 5)
    flops_of_a_cycle(halted)
    train(halted, 2)
    sampler = Sampler(halted, case.dtype, seed=0)
    sampler.draw(sampler.networks("last-ema" if halted.averages else "last-raw"), 20, "look")
    save_checkpoint(tmp_path / "checkpoint.safetensors", *halted.state())
    train(halted, 5)
    assert not different(halted, whole)
    told = whole.window.poll()
    halted.window.poll()
    train(used, 3)
    for engine in (fresh, used):
        engine.load(*load_checkpoint(tmp_path / "checkpoint.safetensors", torch.device("cpu")))
        train(engine, 5)
        assert engine.window.poll() == told
        assert not different(engine, whole)


@pytest.mark.usefixtures("taped")
def test_data_that_is_loaded_ahead_gives_the_same_bits() -> None:
    resident, loaded = (CASES["acgan"].engine(mode="captured") for _ in range(2))
    stream = loaded.streams["A"]
    loaded.streams["A"] = Stream(stream.stored, stream.labels, stream.spec, stream.seed, torch.device("cpu"))
    for engine in (resident, loaded):
        train(engine, 6)
        assert "captured" in engine.mode.switches()["on"]
    assert not different(loaded, resident)


class Memory(nn.Module):
    """A component that remembers in the wrong way, or looks at what it remembers."""

    def __init__(self, spec: Any, recipe: Any) -> None:
        super().__init__()
        self.register_buffer("k", torch.zeros(()))


class Replacing(Memory):
    def after(self, turn: str) -> None:
        self.k = self.k + 1


class Looking(Memory):
    def after(self, turn: str) -> None:
        if self.k < 3:
            self.k.add_(1)


class Choosing(Memory):
    def after(self, turn: str, seen: Any) -> None:
        if turn == "D":
            answers = torch.cat(seen["real"])
            self.k.add_(answers[answers > 0].sum())


@pytest.mark.parametrize(
    ("component", "words"),
    [
        (Replacing, "component/wrong/k is replaced by another tensor"),
        (Looking, "needs values on the host"),
        (Choosing, "counts the True ones of a mask"),
    ],
)
def test_what_a_graph_cannot_hold_is_played_eagerly_and_says_why(component: Any, words: str) -> None:
    """Found before there is a graph, with nothing changed by the attempt."""
    case = StandIn("wrong", others=(Regularizer("wrong", build=component),), settings={"ema_half_life": 50.0})
    engine, eager = case.engine(mode="captured"), case.engine()
    untouched = tensors(engine)
    reason = engine._captured.refusal()
    assert words in reason and not [n for n, v in untouched.items() if not torch.equal(v, tensors(engine)[n])]
    train(engine, 3)
    train(eager, 3)
    assert engine.mode.switches() == {"on": ["fused_optimizer"], "off": {"captured": reason}}
    for name, value in tensors(eager).items():
        torch.testing.assert_close(tensors(engine)[name], value, rtol=1e-4, atol=1e-5)


def test_a_graph_that_cannot_be_made_leaves_the_run_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device's own refusal, after it has played the body; out of memory is no refusal."""

    def breaking(body: Any, device: torch.device) -> Any:
        body()
        raise kind("operation failed due to a previous error during capture\nmore lines")

    monkeypatch.setattr(graphs, "graph", breaking)
    kind: type[Exception] = RuntimeError
    engine, eager = CASES["ema"].engine(mode="captured"), CASES["ema"].engine()
    train(engine, 3)
    train(eager, 3)
    assert "operation failed due to a previous error" in engine.mode.off["captured"]
    for name, value in tensors(eager).items():
        torch.testing.assert_close(tensors(engine)[name], value, rtol=1e-4, atol=1e-5)
    kind = torch.OutOfMemoryError
    with pytest.raises(torch.OutOfMemoryError):
        CASES["ema"].engine(mode="captured").cycle()


def test_a_buffer_that_comes_to_be_is_played_eagerly_also_after_a_resume() -> None:
    engine, other = LATE.engine(mode="captured"), LATE.engine(mode="captured")
    train(engine, 2)
    other.load(*engine.state())
    for each in (engine, other):
        each.cycle(0.5)
        assert "player/D/scale is a buffer that comes to be" in each.mode.switches()["off"]["captured"]
    assert all(torch.equal(value, other.state()[0][name]) for name, value in engine.state()[0].items())


def test_a_network_that_follows_the_progress_is_played_eagerly() -> None:
    class Growing(TOY.discriminator):  # type: ignore[misc,name-defined]
        def at_step(self, progress: float) -> None:
            self.share = progress

    engine = StandIn("growing", architecture=replace(TOY, discriminator=Growing)).engine(mode="captured")
    train(engine, 2)
    assert "'at_step'" in engine.mode.switches()["off"]["captured"]


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("unrolled", {}, "the hook 'opponent'"),
        ("progan", {}, "the hook 'at_step'"),
        ("r1-lazy", {}, "every 4 steps"),
        ("points", {"optimizer": "sgd"}, "only Adam can be captured here, and the recipe says sgd"),
    ],
)
def test_what_cannot_be_captured_says_why(name: str, settings: dict[str, Any], words: str) -> None:
    assert words in CASES[name].engine(mode="captured", **settings).mode.off["captured"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d, g: (d, replace(g, when=lambda cycle: cycle % 2 == 0)), "turn G is not in every cycle"),
        (lambda d, g: (g, d), "turn G sees the real samples of the cycle before"),
    ],
)
def test_a_game_whose_cycles_differ_is_played_eagerly(change: Any, words: str) -> None:
    built = CASES["ali"].game

    def other(spec: Any, recipe: Any) -> Any:
        game = built.build(spec, recipe)
        return replace(game, turns=change(*game.turns))

    engine = replace(CASES["ali"], game=replace(built, build=other)).engine(mode="captured")
    train(engine, 2)
    assert words in engine.mode.switches()["off"]["captured"]


def test_a_processor_has_no_such_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast mode there is what it was before there were graphs."""
    monkeypatch.setattr(modes, "GRAPHS", ("cuda",))
    engine = CASES["points"].engine(mode="fast")
    assert engine.mode.switches() == {"on": ["shared_fake", "fused_optimizer", "channels_last"], "off": {}}
    assert isinstance(engine.optimizers["G"].param_groups[0]["lr"], float)


def test_an_average_moves_by_a_tensor_as_by_a_number() -> None:
    torch.manual_seed(0)
    net = nn.Linear(3, 3)
    one, other = Average(net, 100.0, 0.5), Average(net, 100.0, 0.5)
    with torch.no_grad():
        net.weight.normal_()
    one.update(10, 40)
    other.move(torch.tensor(other.share(10, 40)))
    assert torch.equal(one.copy.weight, other.copy.weight) and not torch.equal(one.copy.weight, net.weight)
