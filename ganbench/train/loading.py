"""Where real data lies: on the device if it fits, else on the host, whence batches are loaded ahead of their turn."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor

SHARE = 0.5
"""Of a device's free memory, which data may fill at most to be kept there."""


def fits(size: int, device: torch.device) -> bool:
    """Whether so many bytes of data are kept on a device. It changes no bit of a run, and is no part of what it is."""
    return size <= SHARE * free_memory(device)


def free_memory(device: torch.device, statistics: Path = Path("/proc/meminfo")) -> int:
    """Bytes of a device that are free now: of a GPU's memory, or of the host's; no end of it where nobody tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = statistics.read_text().splitlines()
    except OSError:
        lines = []
    found = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((1024 * int(words[1]) for words in found), sys.maxsize)


class Loader:
    """Gathers batches of data that lies on the host, in a thread of its own and one ahead, and puts them on a device.

    indices: (position, count) → which samples these are, int64 `(count,)`; asked in that thread only. Memory-mapped
    samples are read from the disk there; batches for a GPU are gathered in page-locked memory, and copied while it
    works.
    """

    def __init__(self, stored: Tensor, indices: Callable[[int, int], Tensor], device: torch.device) -> None:
        self._stored, self._indices, self._device = stored, indices, device
        self._thread = ThreadPoolExecutor(1, "loader", self._settle)
        self._ahead: tuple[tuple[int, int], Future[tuple[Tensor, Tensor]]] | None = None

    def take(self, position: int, count: int) -> tuple[Tensor, Tensor]:
        """Which samples stand at a position of the stream, and the samples in their declared form, on the device."""
        asked, coming = (position, count), self._ahead
        ready = coming[1] if coming and coming[0] == asked else self._thread.submit(self._gather, *asked)
        following = (position + count, count)
        self._ahead = following, self._thread.submit(self._gather, *following)
        index, samples = ready.result()
        return index.to(self._device, non_blocking=True), samples.to(self._device, non_blocking=True)

    def _settle(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.set_device(self._device)  # each thread has a current device of its own

    def _gather(self, position: int, count: int) -> tuple[Tensor, Tensor]:
        index = self._indices(position, count)
        form = (count, *self._stored.shape[1:])
        batch = torch.empty(form, dtype=self._stored.dtype, pin_memory=self._device.type == "cuda")
        return index, torch.index_select(self._stored, 0, index, out=batch)
