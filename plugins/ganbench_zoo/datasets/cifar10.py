"""CIFAR-10: 60,000 photographs of ten kinds of things, 32×32 colour pixels.  Krizhevsky 2009 (technical report).

"Learning multiple layers of features from tiny images", https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf.

    train 40,000 · val 10,000 (both from the 50,000 of the five training batches, by a fixed list) · test 10,000

`scripts/make_split.py` drew the list, 1,000 of each class; `cifar10_val.npy` is it (a bit for each of the 50,000). No
picture of val is in train or test as well.

The binary version (`cifar-10-batches-bin`) is read as it is. The python version (`cifar-10-batches-py`, torchvision's
layout) consists of pickles; they are taken apart, never unpickled, and must hold what the binary version holds.
"""

from __future__ import annotations

import hashlib
import pickletools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ganbench import Dataset, SampleSpec, UsageError, cache_dir, fetch, hookimpl
from ganbench_zoo.files.known import Half, folder, known, mend, read, split_of

MASK = Path(__file__).with_name("cifar10_val.npy")
BATCHES = {"train": tuple(f"data_batch_{i}" for i in range(1, 6)), "test": ("test_batch",)}
SHA256 = {
    "data_batch_1": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
"""Of a batch in binary form: 10,000 records of a label byte and 3,072 pixels (channel, row, column)."""
MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
"""Of a file of the python version, as torchvision knows it."""
COUNT, PIXELS = 10_000, 3 * 32 * 32
BINARY, PYTHON = "cifar-10-batches-bin", "cifar-10-batches-py"
URL, URL_MD5 = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"


def place() -> Path | None:
    """The folder of all six batches: of the binary version, else of the python version."""
    return folder(BINARY, [f"{name}.bin" for name in SHA256]) or folder(PYTHON, SHA256)


def here() -> bool:
    """Whether all six batches are on this disk."""
    return place() is not None


def download(into: Path) -> None:
    """Fill a folder with the binary version, by torchvision."""
    from torchvision.datasets.utils import download_and_extract_archive

    download_and_extract_archive(URL, str(into), md5=URL_MD5, remove_finished=True)
    for file in (into / BINARY).iterdir():
        file.rename(into / file.name)
    (into / BINARY).rmdir()


def half(which: str) -> Half:
    """Its own `"train"` (50,000) or `"test"` (10,000): images uint8 `(N, 3, 32, 32)`, labels int64 `(N,)`."""
    found = place()
    if found is None:
        found = fetch(download, cache_dir() / "data" / BINARY, f"CIFAR-10 ({BINARY} or {PYTHON})")
    read_batch = from_pickle if found.name == PYTHON else from_binary
    records = np.concatenate([read_batch(found, name) for name in BATCHES[which]])
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


def from_binary(found: Path, name: str) -> np.ndarray:
    """The records of a batch, uint8 `(10000, 3073)`."""
    data = known(found / f"{name}.bin", COUNT * (1 + PIXELS), SHA256[name], "CIFAR-10")
    return np.frombuffer(data, np.uint8).reshape(COUNT, 1 + PIXELS)


def from_pickle(found: Path, name: str) -> np.ndarray:
    """The same records from the python version: a file of known md5, whose content must have the known sha256."""
    file = found / name
    data = read(file)
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != MD5[name]:
        raise UsageError(f"{file}: damaged, or not CIFAR-10's (md5 differs); {mend(file)}")
    try:
        pixels, labels = taken_apart(data)
        records = np.hstack([labels.reshape(COUNT, 1), pixels.reshape(COUNT, PIXELS)])
    except ValueError as error:
        raise UsageError(f"{file}: no batch of CIFAR-10 ({str(error).splitlines()[0]}); {mend(file)}") from None
    if hashlib.sha256(records.data).hexdigest() != SHA256[name]:
        raise UsageError(f"{file}: not the pictures and labels of CIFAR-10 (sha256 differs); {mend(file)}")
    return records


def taken_apart(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Pixels and labels, uint8, of a pickled batch: its opcodes are listed, and not one of them is carried out.

    The pixels are the string of their length; the labels are the small integers after the string "labels".
    """
    pixels, labels, latest = "", bytearray(), ""
    for opcode, value, _ in pickletools.genops(data):
        if isinstance(value, str) and len(value) == COUNT * PIXELS:
            pixels = value
        elif isinstance(value, str):
            latest = value
        elif isinstance(value, int) and opcode.name == "BININT1" and latest == "labels":
            labels.append(value)
    return np.frombuffer(pixels.encode("latin-1"), np.uint8), np.frombuffer(labels, np.uint8)


def load(split: str) -> Half:
    """Images uint8 `(N, 3, 32, 32)` in [0, 255] and labels int64 `(N,)` of `"train"`, `"val"` or `"test"`."""
    return split_of("cifar10", split, half, MASK)


@hookimpl
def ganbench_datasets() -> Iterator[Dataset]:
    yield Dataset(
        "cifar10",
        SampleSpec((3, 32, 32), (-1.0, 1.0), "image", classes=10),
        load,
        here=here,
        licence="none stated; its author asks that the report of 2009 be cited",
        paper="https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf",
    )
