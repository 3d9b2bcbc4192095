"""Fashion-MNIST: 70,000 articles of clothing, 28×28 grey pixels.  Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747.

    train 50,000 · val 10,000 (both from the 60,000 of the "train" files, by a fixed list) · test 10,000 ("t10k" files)

`scripts/make_split.py` drew the list, 1,000 of each class; `fashion_mnist_val.npy` is it (a bit for each of the
60,000). No picture of val is in train or test as well. The files are looked for in `FashionMNIST/raw`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganbench import Dataset, SampleSpec, cache_dir, fetch, hookimpl
from ganbench_zoo.files.known import Half, folder, known, split_of

MASK = Path(__file__).with_name("fashion_mnist_val.npy")
HALVES = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
          "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}  # fmt: skip
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
SIZES = {"train-images-idx3-ubyte": 47040016, "train-labels-idx1-ubyte": 60008,
         "t10k-images-idx3-ubyte": 7840016, "t10k-labels-idx1-ubyte": 10008}  # fmt: skip
INSIDE = "FashionMNIST/raw"
"""torchvision's layout. The files have the names of MNIST's, so they are looked for in no other place."""


def place() -> Path | None:
    """The first folder `ROOT/FashionMNIST/raw` that has all four files."""
    return folder(INSIDE, SIZES)


def here() -> bool:
    """Whether the four files are on this disk."""
    return place() is not None


def download(into: Path) -> None:
    """Fill a folder with `raw/*-ubyte`, by torchvision and its mirror."""
    from torchvision.datasets import FashionMNIST

    FashionMNIST(str(into), download=True)
    (into / "FashionMNIST" / "raw").rename(into / "raw")
    (into / "FashionMNIST").rmdir()


def half(which: str) -> Half:
    """Its own `"train"` (60,000) or `"test"` (10,000): images uint8 `(N, 1, 28, 28)`, labels int64 `(N,)`."""
    found = place()
    if found is None:
        found = fetch(download, cache_dir() / "data" / "FashionMNIST", f"Fashion-MNIST ({INSIDE}/*-ubyte)") / "raw"
    images, labels = (payload(found / name) for name in HALVES[which])
    return images.reshape(-1, 1, 28, 28), labels.astype(np.int64)


def payload(file: Path) -> np.ndarray:
    """The bytes after an idx header (4 bytes, and 4 for each axis), uint8."""
    data = known(file, SIZES[file.name], SHA256[file.name], "Fashion-MNIST")
    return np.frombuffer(bytearray(data), np.uint8, offset=4 + 4 * data[3])  # writable, or torch warns


def load(split: str) -> Half:
    """Images uint8 `(N, 1, 28, 28)` in [0, 255] and labels int64 `(N,)` of `"train"`, `"val"` or `"test"`."""
    return split_of("fashion-mnist", split, half, MASK)


@hookimpl
def ganbench_datasets() -> Iterator[Dataset]:
    yield Dataset(
        "fashion-mnist",
        SampleSpec((1, 28, 28), (-1.0, 1.0), "image", classes=10),
        load,
        here=here,
        licence="MIT",
        paper="arXiv:1708.07747",
    )
