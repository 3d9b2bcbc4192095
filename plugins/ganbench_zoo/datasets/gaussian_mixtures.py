"""ring and grid: points in the plane from mixtures of Gaussians whose modes are known.  Lin et al. 2018 (PacGAN),
arXiv:1712.04086, section 4.1.

    train 100,000 · val 10,000 · test 10,000 points `(N, 2)`, float32, drawn from fixed seeds; the label is the mode
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from ganbench import Dataset, SampleSpec, UsageError, hookimpl
from ganbench_zoo.layers.mixtures import MIXTURES

SIZES = {"train": 100_000, "val": 10_000, "test": 10_000}


def load(name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Points float32 `(N, 2)` and their modes int64 `(N,)` of `"train"`, `"val"` or `"test"`."""
    if split not in SIZES:
        raise UsageError(f"{name} has no split {split!r}; there are: {', '.join(SIZES)}")
    mixture = MIXTURES[name]
    generator = np.random.Generator(np.random.PCG64([list(MIXTURES).index(name), list(SIZES).index(split)]))
    modes = generator.integers(len(mixture.centers), size=SIZES[split])
    noise = generator.standard_normal((SIZES[split], 2))
    return (np.array(mixture.centers)[modes] + mixture.sigma * noise).astype(np.float32), modes


@hookimpl
def ganbench_datasets() -> Iterator[Dataset]:
    for name, mixture in MIXTURES.items():
        yield Dataset(
            name,
            SampleSpec((2,), None, "points", classes=len(mixture.centers)),
            partial(load, name),
            licence="made here",
            paper="arXiv:1712.04086",
        )
