"""MNIST: 70,000 handwritten digits of 28×28 grey pixels.  LeCun, Bottou, Bengio & Haffner 1998, doi:10.1109/5.726791.

    train 50,000 · val 10,000 (both from the 60,000 of the "train" files, by a fixed list) · test 10,000 ("t10k" files)

`val` holds none of the 5,000 digits of the data set `mnist-5k`, so that a network trained on those can be scored
against it; `scripts/make_mnist_split.py` drew the list, `mnist_val.npy` is it (a bit for each of the 60,000).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganbench import Dataset, SampleSpec, UsageError, cache_dir, data_roots, fetch, hookimpl

MASK = Path(__file__).with_name("mnist_val.npy")
HALVES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
          "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}  # fmt: skip
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
SIZES = {"train-images-idx3-ubyte": 47040016, "train-labels-idx1-ubyte": 60008,
         "t10k-images-idx3-ubyte": 7840016, "t10k-labels-idx1-ubyte": 10008}  # fmt: skip


def folder() -> Path | None:
    """The first folder that has all four files: `ROOT/MNIST/raw` (torchvision's layout) or ROOT itself."""
    for root in data_roots():
        for place in (root / "MNIST" / "raw", root):
            if all((place / name).is_file() for name in SIZES):
                return place
    return None


def here() -> bool:
    """Whether the four files are on this disk."""
    return folder() is not None


def download(into: Path) -> None:
    """Fill a folder with `raw/*-ubyte`, by torchvision and its mirrors."""
    from torchvision.datasets import MNIST

    MNIST(str(into), download=True)
    (into / "MNIST" / "raw").rename(into / "raw")
    (into / "MNIST").rmdir()


def half(which: str) -> tuple[np.ndarray, np.ndarray]:
    """MNIST's own `"train"` (60,000) or `"test"` (10,000): images uint8 `(N, 1, 28, 28)`, labels int64 `(N,)`."""
    place = folder()
    if place is None:
        place = fetch(download, cache_dir() / "data" / "MNIST", "MNIST (MNIST/raw/*-ubyte)") / "raw"
    images, labels = (payload(place / name) for name in HALVES[which])
    return images.reshape(-1, 1, 28, 28), labels.astype(np.int64)


def payload(file: Path) -> np.ndarray:
    """The bytes after an idx header (4 bytes, and 4 for each axis), uint8, once the file is known to be MNIST's."""
    mend = f"delete {file.parent} to download it again, or point GANBENCH_DATA at another folder"
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}); {mend}") from None
    if len(data) != SIZES[file.name]:
        raise UsageError(f"{file}: damaged, {SIZES[file.name]:,} bytes expected, {len(data):,} found; {mend}")
    if hashlib.sha256(data).hexdigest() != SHA256[file.name]:
        raise UsageError(f"{file}: {len(data):,} bytes as expected, but not MNIST's (sha256 differs); {mend}")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3])


def val_mask() -> np.ndarray:
    """Which of the 60,000 are val: bool `(60000,)`."""
    return np.unpackbits(np.load(MASK, allow_pickle=False), count=60_000).astype(bool)


def load(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 `(N, 1, 28, 28)` in [0, 255] and labels int64 `(N,)` of `"train"`, `"val"` or `"test"`."""
    if split == "test":
        images, labels = half("test")
        return images.copy(), labels  # the bytes read are not writable, which torch warns of
    if split not in ("train", "val"):
        raise UsageError(f"mnist has no split {split!r}; there are: train, val, test")
    images, labels = half("train")
    chosen = val_mask() if split == "val" else ~val_mask()
    return images[chosen], labels[chosen]


@hookimpl
def ganbench_datasets() -> Iterator[Dataset]:
    yield Dataset(
        "mnist",
        SampleSpec((1, 28, 28), (-1.0, 1.0), "image", classes=10),
        load,
        here=here,
        licence="CC BY-SA 3.0, as commonly stated",
        paper="doi:10.1109/5.726791",
    )
