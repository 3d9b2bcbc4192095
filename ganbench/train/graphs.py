"""A function on tensors that stay where they are, as a graph of a GPU: launched as one, without Python in between.

What such a function may not do is found out before a graph is made of it, while that costs nothing: look at a value on
the host, or move data between the host and the device.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.utils.deterministic
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Body = Callable[[], None]
WARM_UP = 2
"""Plays on the graph's stream before it is captured: libraries make their handles and workspaces in the first."""
MASKABLE = ("aten::index", "aten::index_put", "aten::index_put_")
MASKS = (torch.bool, torch.uint8)


class Unfit(Exception):
    """A function does what a graph cannot hold; the message says what, in a few words."""


class Rehearsal(TorchDispatchMode):
    """A block whose every operation, those of backward passes too, is looked at; what is unfit raises `Unfit`."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if why := _unfit(func, args, kwargs):
            raise Unfit(f"{func.overloadpacket} {why}")
        return func(*args, **kwargs)


def graph(body: Body, device: torch.device) -> Body:
    """`body` as a graph, which does the same work on the same tensors; on a processor, which has none, `body` itself.

    It is played a few times. An error leaves the device as it was; all but those of memory mean that no graph can be
    made of it.
    """
    if device.type != "cuda":
        return body
    gc.collect()  # what keeps an autograd graph of an earlier play ties its gradients to the stream of that
    before, stream = torch.cuda.current_stream(device), torch.cuda.Stream(device)
    made, pool = torch.cuda.CUDAGraph(), torch.cuda.graph_pool_handle()
    try:
        stream.wait_stream(before)
        with torch.cuda.stream(stream), _waiting_is_an_error():
            for _ in range(WARM_UP):
                body()
        before.wait_stream(stream)
        # The same stream: its cuBLAS workspace is there by now, and does not lie in the graph's memory. Other threads
        # may do what a capture must not: the one that loads data ahead takes page-locked memory.
        with _unfilled(), torch.cuda.graph(made, pool=pool, stream=stream, capture_error_mode="thread_local"):
            body()
    except Exception as error:
        _recover(device, before, pool)
        if isinstance(error.__context__, torch.OutOfMemoryError):  # which broke off a capture, so its end failed, too
            raise error.__context__ from None
        raise
    return made.replay


@contextlib.contextmanager
def _unfilled() -> Iterator[None]:
    """A block in which deterministic torch does not fill fresh memory with NaN.

    Each filling would be a launch of every replay. Whoever reads memory before writing it has been found out by then:
    rehearsal and warm-up see it filled.
    """
    torch_says: Any = torch.utils.deterministic
    filled, torch_says.fill_uninitialized_memory = torch_says.fill_uninitialized_memory, False
    try:
        yield
    finally:
        torch_says.fill_uninitialized_memory = filled


@contextlib.contextmanager
def _waiting_is_an_error() -> Iterator[None]:
    """A block in which torch raises where it would have the host wait for the GPU."""
    level = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(level)


def _recover(device: torch.device, stream: torch.cuda.Stream, pool: Any) -> None:
    """After a capture that broke off: torch leaves the capture's stream current, and an allocator and a default
    generator that take it to go on, which would fail at the next capture and at the next random number."""
    torch.cuda.set_stream(stream)
    with contextlib.suppress(RuntimeError):
        torch.cuda.synchronize(device)
    fresh, index = torch.Generator(device), device.index or 0
    torch.cuda.default_generators[index].graphsafe_set_state(fresh.graphsafe_get_state())
    if end := getattr(torch._C, "_cuda_endAllocateToPool", None):
        with contextlib.suppress(RuntimeError):  # it had ended
            end(index, pool)


def _unfit(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str | None:
    """Why an operation cannot be in a graph."""
    name = func._schema.name
    if name in MASKABLE:
        masks = [i for i in args[1] if i is not None and i.dtype in MASKS]
        filling = name != "aten::index" and args[2].numel() == 1  # torch fills where a mask says, without counting
        if masks and not filling:
            return "counts the True ones of a mask on the host"
    elif torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags:
        return "needs values on the host"
    places = {t.device.type for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
    if name == "aten::_to_copy" and kwargs.get("device") is not None:
        places.add(torch.device(kwargs["device"]).type)
    return "takes tensors of the host and of the device" if len(places) > 1 else None
