"""Generated samples: which weights, which batch-norm statistics, which latents, and how they reach the disk."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganbench.plan.seeds import derive
from ganbench.record.files import write_atomic
from ganbench.train import pictures
from ganbench.train.draws import encode, seed_default
from ganbench.train.engine import Engine
from ganbench.train.names import Call
from ganbench.train.views import View

BATCH = 250


def variants(engine: Engine) -> list[dict[str, Any]]:
    """What is scored: the averaged weights where there are any (they make the headline), and the last raw ones."""
    raw = {"name": "last-raw", "batch_norm": "running", "headline": not engine.averages}
    averaged = [{"name": "last-ema", "batch_norm": "recomputed", "headline": True}] if engine.averages else []
    return [*averaged, raw]


class Sampler:
    """Draws from a trained game without disturbing it.

    dtype: of the declared form. seed: of the evaluation latents. on_batch: called after every batch.
    """

    def __init__(
        self, engine: Engine, dtype: torch.dtype, seed: int, on_batch: Callable[[], None] = lambda: None
    ) -> None:
        self.engine, self.dtype, self.seed, self._on_batch = engine, dtype, seed, on_batch
        self._sample = Call(engine.game.sample)
        self.pace: float | None = None
        """Samples per second of the last `draw`, its first batch left out; None where that was all of it."""

    def networks(self, variant: str) -> dict[str, View]:
        """The players of a variant in evaluation mode, as copies."""
        averaged = variant.endswith("ema")
        nets: dict[str, nn.Module] = {}
        for name in self.engine.nets:
            average = self.engine.averages.get(name) if averaged else None
            nets[name] = copy.deepcopy(average.copy if average else self.engine.nets[name]).eval().requires_grad_(False)
        views = self.engine.views_of(nets)
        if averaged:
            self._recompute_statistics(views, {n: nets[n] for n in self.engine.averages})
        return views

    def draw(self, views: Mapping[str, View], count: int, purpose: str) -> tuple[np.ndarray, np.ndarray | None]:
        """`count` samples in the declared form, and their labels if the run is conditional."""
        samples, labels, warm = [], [], time.perf_counter()
        for number, size in enumerate(_sizes(count, BATCH)):
            if number == 1:
                warm = time.perf_counter()
            latents = self.engine.latents.draw(size, purpose, number)
            seed_default(derive(self.seed, purpose, "draws", number), self.engine.device)
            made = self._generate(views, latents, number)
            assert made.x is not None
            samples.append(encode(made.x, self.engine.spec, self.dtype).cpu())
            if self.engine.spec.classes and made.y is not None:
                labels.append(made.y.cpu())
            self._on_batch()
        self.pace = (count - BATCH) / (time.perf_counter() - warm) if count > BATCH else None
        return torch.cat(samples).numpy(), torch.cat(labels).numpy() if labels else None

    def shown(self, views: Mapping[str, View]) -> np.ndarray:
        """Samples for the picture: latents shared by all GANs and seeds; column c of a grid shows class c."""
        count = pictures.wanted(self.engine.spec)
        latents = self.engine.latents.draw(count, "grid")
        if latents.y is not None:
            classes = int(self.engine.spec.classes)
            latents = latents.but(y=(torch.arange(count) % pictures.GRID[1] % classes).to(self.engine.device))
        seed_default(derive(self.seed, "grid", "draws"), self.engine.device)
        made = self._generate(views, latents)
        assert made.x is not None
        return encode(made.x, self.engine.spec, self.dtype).cpu().numpy()

    def trial(self, count: int) -> Any:
        """What the game's `sample` gives of `count` latents as things stand, before any training."""
        latents = self.engine.latents.draw(count, "trial")
        seed_default(derive(self.seed, "trial", "draws"), self.engine.device)
        return self._generate(self.networks("last-raw"), latents)

    def rate(self, views: Mapping[str, View], seconds: float = 0.5) -> float:
        """Samples per second in batches, measured for about `seconds` after one batch of warm-up."""
        self.draw(views, BATCH, "rate")
        start, drawn = time.perf_counter(), 0
        while (passed := time.perf_counter() - start) < seconds:
            drawn += len(self.draw(views, BATCH, "rate")[0])
        return drawn / passed

    @torch.no_grad()
    def _generate(self, views: Mapping[str, View], latents: Any, number: int = 0) -> Any:
        """Batch number `number`; a game that translates gets that many batches further into its data."""
        engine = self.engine
        size = len(latents.z)
        reals = {}
        for name, stream in engine.streams.items():
            with _position(stream):
                stream.position = number * BATCH
                reals[name] = stream.next(size)
        known = engine.context | {
            "nets": views,
            "D": views.get("D"),
            "G": views.get("G"),
            "latents": latents,
            "reals": reals,
        }
        return self._sample(known)

    def _recompute_statistics(self, views: Mapping[str, View], nets: Mapping[str, nn.Module]) -> None:
        norms = [m for n in nets.values() for m in n.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        averaged = [m for m in norms if m.track_running_stats]
        if not averaged:
            return
        momenta = [m.momentum for m in averaged]
        for norm in averaged:
            norm.reset_running_stats()
            norm.momentum = None  # a cumulative mean over the batches
            norm.train()
        for number in range(int(self.engine.recipe["bn_batches"])):
            latents = self.engine.latents.draw(BATCH, "batch-norm", number)
            seed_default(derive(self.seed, "batch-norm", "draws", number), self.engine.device)
            self._generate(views, latents, number)
        for norm, momentum in zip(averaged, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()


def write_samples(folder: Path, name: str, samples: np.ndarray, labels: np.ndarray | None) -> None:
    """`samples/<name>.npy`, and `samples/<name>.labels.npy` for a conditional run."""
    write_atomic(folder / "samples" / f"{name}.npy", lambda f: np.save(f, samples, allow_pickle=False))
    if labels is not None:
        write_atomic(folder / "samples" / f"{name}.labels.npy", lambda f: np.save(f, labels, allow_pickle=False))


def remove_samples(folder: Path, name: str) -> None:
    """Remove what `write_samples` wrote."""
    for ending in ("npy", "labels.npy"):
        (folder / "samples" / f"{name}.{ending}").unlink(missing_ok=True)


def _sizes(count: int, batch: int) -> Iterator[int]:
    while count > 0:
        yield min(batch, count)
        count -= batch


@contextlib.contextmanager
def _position(stream: Any) -> Iterator[None]:
    position = stream.position
    try:
        yield
    finally:
        stream.position = position


def weights_hash(module: nn.Module) -> str:
    """sha256 over a network's parameters and buffers, by name."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        if isinstance(value, Tensor):
            digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
