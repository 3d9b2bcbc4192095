"""Data files that are known by their sha256, and the fixed split of a training half."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from ganbench import UsageError, data_roots

Half = tuple[np.ndarray, np.ndarray]
"""Images uint8 `(N, C, H, W)` and labels int64 `(N,)`."""


def folder(inside: str, files: Collection[str]) -> Path | None:
    """The first `ROOT/inside`, of the data folders ROOT, that has all the files."""
    places = (root / inside for root in data_roots())
    return next((place for place in places if all((place / name).is_file() for name in files)), None)


def mend(file: Path) -> str:
    """What to do about a file that is no good."""
    return f"delete {file.parent} to download it again, or point GANBENCH_DATA at another folder"


def read(file: Path) -> bytes:
    """The bytes of a file."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}); {mend(file)}") from None


def known(file: Path, size: int, sha256: str, owner: str) -> bytes:
    """The bytes of a file, once it is known to be the one that `owner` published."""
    data = read(file)
    if len(data) != size:
        raise UsageError(f"{file}: damaged, {size:,} bytes expected, {len(data):,} found; {mend(file)}")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UsageError(f"{file}: {size:,} bytes as expected, but not {owner}'s (sha256 differs); {mend(file)}")
    return data


def val_mask(file: Path, count: int) -> np.ndarray:
    """Which of the training half's `count` samples are val: bool `(count,)`, a bit each in the file."""
    return np.unpackbits(np.load(file, allow_pickle=False), count=count).astype(bool)


def split_of(name: str, split: str, half: Callable[[str], Half], mask: Path) -> Half:
    """The split `"train"`, `"val"` or `"test"` of the data set `name`, whose own halves are "train" and "test"."""
    if split not in ("train", "val", "test"):
        raise UsageError(f"{name} has no split {split!r}; there are: train, val, test")
    images, labels = half("test" if split == "test" else "train")
    if split == "test":
        return images, labels
    is_val = val_mask(mask, len(labels))
    chosen = is_val if split == "val" else ~is_val
    return images[chosen], labels[chosen]
