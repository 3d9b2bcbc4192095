"""What torch is told when a graph is made on a GPU, and in which order; a stand-in for `torch.cuda` writes it down.

It proves that the calls are made, not that a GPU does what they ask for: `test_cuda.py` does.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.utils.deterministic

from ganbench.train import graphs

GPU = torch.device("cuda:1")


class Stream:
    """A stream by its name."""

    def __init__(self, told: list[str], name: str) -> None:
        self.told, self.name = told, name

    def wait_stream(self, other: Stream) -> None:
        self.told.append(f"{self.name} waits for {other.name}")


class Graph:
    """A graph that counts its replays."""

    replays = 0

    def replay(self) -> None:
        self.replays += 1


class State:
    """A generator whose state has a name."""

    def __init__(self, told: list[str], name: str) -> None:
        self.told, self.name = told, name

    def graphsafe_get_state(self) -> str:
        return self.name

    def graphsafe_set_state(self, state: str) -> None:
        self.told.append(f"{self.name} takes the state of {state}")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was told so far, in order."""
    said: list[str] = []
    level = ["default"]

    @contextlib.contextmanager
    def on(stream: Stream) -> Iterator[None]:
        said.append(f"on {stream.name}")
        yield
        said.append(f"off {stream.name}")

    @contextlib.contextmanager
    def capture(made: Any, pool: Any, stream: Stream, capture_error_mode: str) -> Iterator[None]:
        said.append(f"capture on {stream.name} into {pool}, {capture_error_mode}")
        yield
        said.append("captured")

    def set_level(wanted: str) -> None:
        level[0] = wanted
        said.append(f"waiting: {wanted}")

    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream(said, "main"))
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream(said, "side"))
    monkeypatch.setattr(torch.cuda, "stream", on)
    monkeypatch.setattr(torch.cuda, "set_stream", lambda stream: said.append(f"current: {stream.name}"))
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: (0, 7))
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", capture)
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: level[0])
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", set_level)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: said.append("synchronize"))
    monkeypatch.setattr(torch.cuda, "default_generators", [State(said, "default 0"), State(said, "default 1")])
    monkeypatch.setattr(torch, "Generator", lambda device: State(said, "fresh"))
    ended = [(1, (0, 7))]

    def end(index: int, pool: Any) -> None:
        if (index, pool) not in ended:
            raise RuntimeError("not currently recording")
        ended.remove((index, pool))
        said.append("pool ended")

    monkeypatch.setattr(torch._C, "_cuda_endAllocateToPool", end, raising=False)
    return said


def test_it_is_played_on_the_graphs_stream_and_then_captured_there(told: list[str]) -> None:
    replay = graphs.graph(lambda: told.append("play"), GPU)
    assert told == [
        "side waits for main",
        "on side",
        "waiting: error",
        *["play"] * graphs.WARM_UP,
        "waiting: default",
        "off side",
        "main waits for side",
        "capture on side into (0, 7), thread_local",
        "play",
        "captured",
    ]
    replay()
    replay()
    assert replay.__self__.replays == 2 and told.count("play") == graphs.WARM_UP + 1  # type: ignore[attr-defined]


def test_fresh_memory_is_filled_while_it_is_tried_out_and_not_in_the_graph(told: list[str]) -> None:
    settings: Any = torch.utils.deterministic
    filled: list[bool] = []
    graphs.graph(lambda: filled.append(settings.fill_uninitialized_memory), GPU)
    assert filled == [*[True] * graphs.WARM_UP, False] and settings.fill_uninitialized_memory


@pytest.mark.parametrize("at", [1, graphs.WARM_UP + 1])
def test_what_breaks_off_leaves_the_process_usable(told: list[str], at: int) -> None:
    """In the warm-up or in the capture: the stream, the generator of this device, and the memory pool."""

    def body() -> None:
        told.append("play")
        if told.count("play") == at:
            raise RuntimeError("called a synchronizing CUDA operation")

    with pytest.raises(RuntimeError, match="synchronizing"):
        graphs.graph(body, GPU)
    rest = ["current: main", "synchronize", "default 1 takes the state of fresh", "pool ended"]
    assert told[-4:] == rest and told.count("play") == at
    assert [word for word in told if word.startswith("waiting")] == ["waiting: error", "waiting: default"]


def test_a_capture_that_memory_broke_off_says_so_although_its_end_fails(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Capture(contextlib.AbstractContextManager[None]):
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def __exit__(self, *_: object) -> None:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")

    def body() -> None:
        told.append("play")
        if told.count("play") > graphs.WARM_UP:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(torch.cuda, "graph", Capture)
    with pytest.raises(torch.OutOfMemoryError, match="2 GiB"):
        graphs.graph(body, GPU)
    assert told[-1] == "pool ended"


def test_a_processor_has_none() -> None:
    def body() -> None:
        raise AssertionError("it is not played beforehand")

    assert graphs.graph(body, torch.device("cpu")) is body


def test_what_a_graph_cannot_hold() -> None:
    """By what each operation needs; the same ones without a look at values are let through."""
    x = torch.tensor([1.0, -2.0, 3.0])
    mask, there = x > 0, torch.empty(3, device="meta")

    def penalty() -> None:
        y = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad((y**3).sum(), y, create_graph=True)
        slope.square().sum().backward()

    unfit = {
        "an item": lambda: x[0].item(),
        "a branch": lambda: bool(x.sum() > 0),
        "a mask": lambda: x[mask],
        "non-zero": lambda: x.nonzero(),
        "unique": lambda: x.unique(),
        "a mask that is assigned": lambda: x.clone().index_put_((mask,), torch.ones(2)),
        "to the device": lambda: x.to("meta"),
        "both": lambda: there.copy_(x),
    }
    fit = {
        "indices": lambda: x[torch.tensor([0, 2])],
        "where": lambda: torch.where(mask, x, 0.0),
        "filling": lambda: x.clone().index_put_((mask,), torch.tensor(0.0)),
        "sorting": lambda: x.argsort().argsort(),
        "a penalty": penalty,
        "another type": lambda: x.to(torch.float64),
        "random numbers": lambda: torch.rand_like(x).lerp_(x, torch.rand(())),
    }
    for name, operation in unfit.items():
        with pytest.raises(graphs.Unfit), graphs.Rehearsal():
            operation()
            pytest.fail(name)
    for operation in fit.values():
        with graphs.Rehearsal():
            operation()


def test_a_look_at_values_in_a_backward_pass_is_found_too() -> None:
    class Looking(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            return grad * float(grad.sum())

    x = torch.ones(3, requires_grad=True)
    with pytest.raises(graphs.Unfit, match="needs values on the host"), graphs.Rehearsal():
        Looking.apply(x).sum().backward()
