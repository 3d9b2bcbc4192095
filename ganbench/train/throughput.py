"""How fast it trained: windows of steady training, warm-up and evaluation left out."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ganbench.errors import UsageError
from ganbench.train.device import peak_memory, synchronize
from ganbench.train.engine import Engine
from ganbench.train.state import known_buffers

WARM_UP = 2
"""Windows at the start (of the run, or after a resume) that do not count."""


class Clock:
    """Training seconds, stopped while anything else is done; and images per second, window by window."""

    def __init__(self, device: torch.device, seconds: float = 0.0, rates: list[float] | None = None) -> None:
        self.device, self.seconds = device, seconds
        self.rates = list(rates or [])
        self._skip, self._since, self._images = WARM_UP, 0.0, 0

    def start(self, images: int) -> None:
        """Training goes on; `images` were consumed so far."""
        synchronize(self.device)
        self._since, self._images = time.perf_counter(), images

    def now(self) -> float:
        """Training seconds up to this moment, without waiting for the device."""
        return self.seconds + (time.perf_counter() - self._since)

    def leave_out(self, seconds: float) -> None:
        """Do not count so many of the seconds since the last window."""
        self._since += seconds

    def window(self, images: int) -> float:
        """Close a window; its images per second."""
        synchronize(self.device)
        now = time.perf_counter()
        passed = now - self._since
        self.seconds += passed
        rate = (images - self._images) / passed if passed > 0 else 0.0
        if self._skip:
            self._skip -= 1
        else:
            self.rates.append(rate)
        self._since, self._images = now, images
        return rate

    def summary(self, sampling_rate: float, shared: bool, resident: bool) -> dict[str, Any] | None:
        """Median and quartiles of the windows; None when the run was too short to have any.

        shared: whether other work had the device, too. resident: whether the data lay there (see `loading`).
        """
        if not self.rates:
            return None
        spread = statistics.quantiles(self.rates, n=4) if len(self.rates) > 1 else [self.rates[0]] * 3
        return {
            "images_per_second": statistics.median(self.rates),
            "spread": [spread[0], spread[2]],
            "windows": len(self.rates),
            "sampling_rate": sampling_rate,
            "peak_memory_bytes": peak_memory(self.device),
            "shared_device": shared,
            "resident_data": resident,
        }


class _Flops(TorchDispatchMode):
    """Adds up what torch's own formulas give for each operation (its `FlopCounterMode` fails on double backward)."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if formula := flop_registry.get(func._overloadpacket):
            self.total += int(formula(*args, **(kwargs or {}), out_val=out))
        return out


def flops_of_a_cycle(engine: Engine) -> int:
    """Floating-point operations of one cycle (matrix products and convolutions, forward and backward).

    The cycle is undone afterwards: counting changes nothing. A buffer that came to be in it and that no checkpoint
    could give back is a `UsageError`.
    """
    known = known_buffers(engine.modules())
    tensors, plain = engine.state()
    kept = {k: v.clone() for k, v in tensors.items()}
    saved = {k: dict(v) for k, v in plain.items()}
    with engine.eagerly(), _Flops() as counter:
        engine.cycle()
    if late := sorted(known_buffers(engine.modules()) - known):
        raise UsageError(
            f"{late[0]} is a buffer that comes to be while it trains, so that nothing could be resumed; make it in "
            "__init__, or have it None there: register_buffer(name, None, persistent=False)"
        )
    engine.load(kept, saved)
    return counter.total
