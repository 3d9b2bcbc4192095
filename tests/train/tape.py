"""What a CUDA graph is, on a processor: operations written down once, and carried out again on the same memory.

As with a graph, no Python runs when it is replayed: a number that the host worked out in the first play stays what it
was, and a tensor is read and written where it lay then. Unlike a graph, the operations are also carried out while they
are written down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Tape(TorchDispatchMode):
    """A block whose operations are written down."""

    def __init__(self) -> None:
        super().__init__()
        self._operations: list[tuple[Any, Any, Any, list[Any]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self._operations.append((func, args, kwargs or {}, tree_leaves(out)))
        return out

    @torch.no_grad()
    def replay(self) -> None:
        """Carry everything out again, with results where they were."""
        for func, args, kwargs, outs in self._operations:
            again = tree_leaves(func(*args, **kwargs))
            for old, new in zip(outs, again, strict=True):
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)

    def __len__(self) -> int:
        return len(self._operations)


def tape(body: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """In the place of `ganbench.train.graphs.graph`."""
    made = Tape()
    with made:
        body()
    assert len(made) > 10
    return made.replay
