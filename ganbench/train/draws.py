"""Everything random in a run: default generators, data order, latents. All of it follows from seeds and counters."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.api import Batch, Recipe, SampleSpec
from ganbench.plan.seeds import derive
from ganbench.train.loading import Loader


def seed_default(seed: int, device: torch.device) -> None:
    """Seed torch's default generators (1 µs; `torch.manual_seed` would cost 150)."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor on the device, without waiting: a GPU copies one of the host from pinned memory when its turn comes."""
    pinned = device.type == "cuda" and tensor.device.type == "cpu"
    return (tensor.pin_memory() if pinned else tensor).to(device, non_blocking=True)


def decode(stored: Tensor, spec: SampleSpec) -> Tensor:
    """Declared form → float32 in `spec.range`: uint8 from [0, 255], int16 from [-32768, 32767], floats as they are."""
    x = stored.to(torch.float32)
    if stored.dtype not in (torch.uint8, torch.int16) or spec.range is None:
        return x
    low, high = spec.range
    if stored.dtype == torch.uint8:
        return x.mul_((high - low) / 255.0).add_(low)
    return x.add_(32768.0).mul_((high - low) / 65535.0).add_(low)


def encode(x: Tensor, spec: SampleSpec, dtype: torch.dtype) -> Tensor:
    """float32 in `spec.range` → declared form; for images `clamp(round(127.5·x + 127.5), 0, 255)` of the range
    [-1, 1], computed as `(x + 1) / 2 * 255`: near a half step the order of rounding decides."""
    if dtype not in (torch.uint8, torch.int16) or spec.range is None:
        return x.to(torch.float32)
    low, high = spec.range
    unit = (x.to(torch.float32) - low) / (high - low)
    if dtype == torch.uint8:
        return unit.mul(255.0).round_().clamp_(0, 255).to(torch.uint8)
    return unit.mul(65535.0).sub_(32768.0).round_().clamp_(-32768, 32767).to(torch.int16)


class Stream:
    """Endless real batches: the concatenation of one seeded permutation of the data per epoch.

    stored: samples in their declared form; they are where batches are wanted, or else on the host, and `device` says
    where batches go. labels: int64 `(N,)`, where batches go. position: samples drawn so far; it is all the state there
    is.
    """

    def __init__(
        self,
        stored: Tensor,
        labels: Tensor | None,
        spec: SampleSpec,
        seed: int,
        device: torch.device | None = None,
    ) -> None:
        self.stored, self.labels, self.spec, self.seed, self.position = stored, labels, spec, seed, 0
        self.device = stored.device if device is None else device
        self._loader = Loader(stored, self._indices, device) if device is not None else None
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.int64)
        self._generator = torch.Generator()

    @property
    def resident(self) -> bool:
        """Whether the data lies where its batches go."""
        return self._loader is None

    def next(self, count: int) -> Batch:
        """The next `count` samples, see `take`."""
        index, samples = self.drawn(count)
        return self.take(to_device(index, self.device), samples)

    def drawn(self, count: int) -> tuple[Tensor, Tensor | None]:
        """Which samples are the next ones, `(count,)`, on the host; of data that is not resident, on the device, and
        with the samples themselves in their declared form."""
        position, self.position = self.position, self.position + count
        return (self._indices(position, count), None) if self._loader is None else self._loader.take(position, count)

    def take(self, index: Tensor, samples: Tensor | None = None) -> Batch:
        """Samples by their number, in `spec.range`; `extra["index"]` says which they are. index, and samples where
        data is not resident: on the device."""
        samples = self.stored.index_select(0, index) if samples is None else samples
        y = self.labels.index_select(0, index) if self.labels is not None else None
        return Batch(x=decode(samples, self.spec), y=y, extra={"index": index})

    def _indices(self, position: int, count: int) -> Tensor:
        pieces = []
        while count:
            epoch, offset = divmod(position, len(self.stored))
            piece = self._permutation(epoch)[offset : offset + count]
            pieces.append(piece)
            position += len(piece)
            count -= len(piece)
        return torch.cat(pieces) if len(pieces) > 1 else pieces[0]

    def _permutation(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            self._generator.manual_seed(derive(self.seed, "data order", epoch))
            self._order, self._epoch = torch.randperm(len(self.stored), generator=self._generator), epoch
        return self._order


class Latents:
    """Latents (and labels, for a conditional run) from CPU generators seeded by counters: equal across devices, GANs.

    frequencies: label frequencies `(classes,)` for labels that follow the data; None for an unconditional run.
    """

    def __init__(self, recipe: Recipe, seed: int, device: torch.device, frequencies: Tensor | None) -> None:
        self.seed, self.device, self.frequencies = seed, device, frequencies
        self._size, self._uniform = recipe["latent"], recipe["prior"] == "uniform"
        self._generator = torch.Generator()

    def draw(self, count: int, purpose: str, *axes: str | int) -> Batch:
        """`count` latents `(count, latent)` for one purpose; the same axes give the same latents."""
        z, y = self.on_host(count, purpose, *axes)
        there = None if y is None else to_device(y, self.device)
        return Batch(z=to_device(z, self.device), y=there, origin="latent")

    def on_host(self, count: int, purpose: str, *axes: str | int) -> tuple[Tensor, Tensor | None]:
        """The same before they are moved to the device: latents, and labels `(count,)` of a conditional run."""
        generator = self._generator.manual_seed(derive(self.seed, purpose, *axes))
        z = torch.empty(count, self._size)
        z = z.uniform_(-1.0, 1.0, generator=generator) if self._uniform else z.normal_(generator=generator)
        y = None
        if self.frequencies is not None:
            y = torch.multinomial(self.frequencies, count, replacement=True, generator=generator)
        return z, y


def label_frequencies(labels: Any, classes: int) -> Tensor:
    """Shares of the classes among labels `(N,)`: float64 `(classes,)`."""
    counts = np.bincount(np.asarray(labels), minlength=classes).astype(np.float64)
    return torch.from_numpy(counts / counts.sum())
