"""Fashion-MNIST and CIFAR-10: their splits, their files, and that nothing in a file is carried out."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import pickle
import shutil
import struct
import tarfile
import threading
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import FashionMNIST

from ganbench import Unavailable, UsageError, cache_dir
from ganbench.cli import main
from ganbench_zoo.datasets import cifar10, fashion_mnist

DATASETS = pytest.mark.parametrize("dataset", [fashion_mnist, cifar10], ids=lambda d: d.__name__.rpartition(".")[2])
COUNT = 20


@pytest.fixture
def data(tmp_path, monkeypatch) -> Path:
    """An empty folder, the only one that data is looked for in."""
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("dataset", "sizes", "mean"),
    [
        pytest.param(fashion_mnist, (50_000, 10_000, 10_000), [0.2860], id="fashion_mnist"),
        pytest.param(cifar10, (40_000, 10_000, 10_000), [0.4914, 0.4822, 0.4465], id="cifar10"),
    ],
)
def test_the_splits_have_equal_classes_and_share_no_picture_with_val(dataset, sizes, mean):
    if not dataset.here():
        pytest.skip("no folder of GANBENCH_DATA has its files")
    (record,) = dataset.ganbench_datasets()
    pictures, total = {}, 0.0
    for split, size in zip(record.splits, sizes, strict=True):
        images, labels = record.load(split)
        assert images.shape == (size, *record.spec.shape) and images.dtype == np.uint8 and images.flags.writeable
        assert labels.dtype == np.int64 and np.bincount(labels).tolist() == [size // 10] * 10
        pictures[split] = {hash(image.tobytes()) for image in images}
        total += images.mean(axis=(0, 2, 3)) / 255 * (size if split != "test" else 0)
    assert total / (sizes[0] + sizes[1]) == pytest.approx(mean, abs=1e-4)
    assert not pictures["val"] & (pictures["train"] | pictures["test"])


@pytest.fixture
def mirror(tmp_path) -> Iterator[tuple[Path, str]]:
    """A folder that a server on this machine holds, and its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    folder = tmp_path / "mirror"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@DATASETS
def test_the_list_of_val_is_small(dataset):
    assert dataset.MASK.stat().st_size < 8_000


@DATASETS
def test_an_unknown_split_is_refused(dataset):
    with pytest.raises(UsageError, match="no split 'dev'; there are: train, val, test"):
        dataset.load("dev")


@DATASETS
def test_what_is_neither_here_nor_reachable_is_said_in_one_line(dataset, data, monkeypatch):
    def cut_off(into: Path) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(dataset, "download", cut_off)
    assert not dataset.here()
    with pytest.raises(Unavailable, match=r"not downloaded \(OSError: no route to host\).*GANBENCH_DATA") as caught:
        dataset.load("test")
    assert "\n" not in str(caught.value)


# ── made-up files in the published formats ──


@pytest.fixture
def clothes(data, monkeypatch) -> Path:
    """A folder with 20 + 20 made-up pictures in Fashion-MNIST's four files, which are taken for the published ones."""
    raw = data / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    draws = np.random.default_rng(0)
    for name in fashion_mnist.SIZES:
        axes = (COUNT, 28, 28) if "images" in name else (COUNT,)
        content = struct.pack(f">BBBB{len(axes)}I", 0, 0, 8, len(axes), *axes) + draws.bytes(int(np.prod(axes)))
        (raw / name).write_bytes(content)
        monkeypatch.setitem(fashion_mnist.SIZES, name, len(content))
        monkeypatch.setitem(fashion_mnist.SHA256, name, hashlib.sha256(content).hexdigest())
    return raw


def test_fashion_mnist_reads_idx_files(clothes):
    images, labels = fashion_mnist.load("test")
    assert images.tobytes() == (clothes / "t10k-images-idx3-ubyte").read_bytes()[16:]
    assert labels.astype(np.uint8).tobytes() == (clothes / "t10k-labels-idx1-ubyte").read_bytes()[8:]
    assert images.shape == (COUNT, 1, 28, 28)


def test_a_damaged_idx_file_is_named_with_the_mend(clothes):
    file = clothes / "t10k-images-idx3-ubyte"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(
        UsageError, match=r"t10k-images.*not Fashion-MNIST's \(sha256 differs\); delete .* GANBENCH_DATA"
    ):
        fashion_mnist.load("test")
    file.write_bytes(whole[:100])
    with pytest.raises(UsageError, match=r"damaged, 15,696 bytes expected, 100 found"):
        fashion_mnist.load("test")


def test_fashion_mnist_downloads_through_torchvision(clothes, data, mirror, monkeypatch):
    folder, address = mirror
    resources = []
    for name in fashion_mnist.SIZES:
        packed = gzip.compress((clothes / name).read_bytes())
        (folder / f"{name}.gz").write_bytes(packed)
        resources.append((f"{name}.gz", hashlib.md5(packed).hexdigest()))
    monkeypatch.setattr(FashionMNIST, "mirrors", [address])
    monkeypatch.setattr(FashionMNIST, "resources", resources)
    expected = fashion_mnist.load("test")
    shutil.rmtree(data)
    assert not fashion_mnist.here()
    for got, wanted in zip(fashion_mnist.load("test"), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert fashion_mnist.place() == cache_dir() / "data" / "FashionMNIST" / "raw"


def pickled(records: np.ndarray) -> bytes:
    """A batch as Python 2 pickled it with NumPy: byte strings, and the array rebuilt by calls that the file names."""

    def word(text: bytes) -> bytes:
        return b"U" + bytes([len(text)]) + text

    labels = b"".join(b"K" + bytes([label]) for label in records[:, 0])
    pixels = records[:, 1:].tobytes()
    shape = b"K" + bytes([len(records)]) + b"M" + struct.pack("<H", records.shape[1] - 1) + b"\x86"
    dtype = b"cnumpy\ndtype\n" + word(b"u1") + b"K\x00K\x01\x87R(K\x03" + word(b"|") + b"NNN" + 2 * b"J\xff\xff\xff\xff"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + word(b"b") + b"\x87R"
    state = b"(K\x01" + shape + dtype + b"K\x00tb\x89T" + struct.pack("<I", len(pixels)) + pixels + b"tb"
    names = word(b"filenames") + b"](" + word(b"labels") + word(b"b.png") + b"e"  # a file name that misleads
    head = b"\x80\x02}q\x01(" + word(b"batch_label") + b"q\x02" + word(b"testing batch 1 of 1")
    return head + word(b"labels") + b"q\x04](" + labels + b"e" + word(b"data") + array + state + names + b"u."


@pytest.fixture
def things(monkeypatch) -> np.ndarray:
    """20 made-up records `(20, 3073)`, which are taken for each of CIFAR-10's batches."""
    draws = np.random.default_rng(0)
    records = draws.integers(0, 256, (COUNT, 1 + cifar10.PIXELS), dtype=np.uint8)
    records[:, 0] %= 10
    monkeypatch.setattr(cifar10, "COUNT", COUNT)
    for name in cifar10.SHA256:
        monkeypatch.setitem(cifar10.SHA256, name, hashlib.sha256(records).hexdigest())
        monkeypatch.setitem(cifar10.MD5, name, hashlib.md5(pickled(records)).hexdigest())
    return records


def written(folder: Path, content: bytes, suffix: str = "") -> Path:
    """A folder of six equal batches."""
    folder.mkdir(parents=True)
    for name in cifar10.SHA256:
        (folder / f"{name}{suffix}").write_bytes(content)
    return folder


def test_cifar10_reads_its_binary_version(data, things):
    written(data / cifar10.BINARY, things.tobytes(), ".bin")
    images, labels = cifar10.load("test")
    assert images.reshape(COUNT, -1).tobytes() == things[:, 1:].tobytes() and labels.tolist() == things[:, 0].tolist()
    assert images.shape == (COUNT, 3, 32, 32) and len(cifar10.half("train")[1]) == 5 * COUNT


def test_cifar10_reads_its_python_version_as_unpickling_would(data, things):
    written(data / cifar10.PYTHON, pickled(things))
    images, labels = cifar10.load("test")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file names a module of NumPy that has moved
        batch = pickle.loads(pickled(things), encoding="bytes")
    np.testing.assert_array_equal(images.reshape(COUNT, -1), batch[b"data"])
    assert labels.tolist() == batch[b"labels"] == things[:, 0].tolist()


def test_a_folder_that_lacks_a_batch_is_passed_over(data, things, tmp_path, monkeypatch):
    roots = [tmp_path / name for name in ("none", "first", "last", "whole")]
    monkeypatch.setenv("GANBENCH_DATA", os.pathsep.join(map(str, roots)))
    for root, missing in zip(roots[1:], ("data_batch_1", "test_batch", None), strict=True):
        assert not cifar10.here()
        written(root / cifar10.BINARY, things.tobytes(), ".bin")
        if missing:
            (root / cifar10.BINARY / f"{missing}.bin").unlink()
    assert cifar10.place() == roots[-1] / cifar10.BINARY


def test_cifar10_downloads_its_binary_version(data, things, mirror, tmp_path, monkeypatch):
    archive = mirror[0] / "cifar-10-binary.tar.gz"
    source = written(tmp_path / "made" / cifar10.BINARY, things.tobytes(), ".bin")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(source, cifar10.BINARY)
    monkeypatch.setattr(cifar10, "URL", mirror[1] + archive.name)
    with pytest.raises(
        Unavailable, match=r"CIFAR-10 \(cifar-10-batches-bin or cifar-10-batches-py\): not on this machine"
    ):
        cifar10.load("test")
    monkeypatch.setattr(cifar10, "URL_MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    assert len(cifar10.load("test")[1]) == COUNT
    kept = cache_dir() / "data" / cifar10.BINARY
    assert sorted(file.name for file in kept.iterdir()) == sorted(f"{name}.bin" for name in cifar10.SHA256)
    archive.unlink()
    assert cifar10.here() and len(cifar10.half("train")[1]) == 5 * COUNT


def test_a_damaged_batch_is_refused_with_the_mend(data, things):
    whole = things.tobytes()
    written(data / cifar10.BINARY, whole[:-1] + bytes([whole[-1] ^ 1]), ".bin")
    with pytest.raises(UsageError, match=r"test_batch\.bin: .* not CIFAR-10's \(sha256 differs\); delete"):
        cifar10.load("test")


class Attack:
    """Makes a folder when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_a_hostile_pickle_is_refused_and_not_run(data, things, tmp_path, monkeypatch):
    hostile = pickle.dumps({"labels": [1] * COUNT, "data": Attack(tmp_path / "marker")}, protocol=2)
    written(data / cifar10.PYTHON, hostile)
    with pytest.raises(UsageError, match=r"test_batch: damaged, or not CIFAR-10's \(md5 differs\)"):
        cifar10.load("test")
    for content in (hostile, hostile[:-20], b"no pickle"):  # even if its md5 were that of a batch
        (data / cifar10.PYTHON / "test_batch").write_bytes(content)
        monkeypatch.setitem(cifar10.MD5, "test_batch", hashlib.md5(content).hexdigest())
        with pytest.raises(UsageError, match="test_batch: no batch of CIFAR-10"):
            cifar10.load("test")
    other = pickled(things[::-1])
    (data / cifar10.PYTHON / "test_batch").write_bytes(other)
    monkeypatch.setitem(cifar10.MD5, "test_batch", hashlib.md5(other).hexdigest())
    with pytest.raises(UsageError, match=r"not the pictures and labels of CIFAR-10 \(sha256 differs\)"):
        cifar10.load("test")
    assert not (tmp_path / "marker").exists()


# ── their suites ──


@DATASETS
def test_a_suite_without_its_data_is_one_line_and_not_a_run(dataset, data, monkeypatch, capsys, tmp_path):
    def cut_off(into: Path) -> None:
        raise OSError("no route to host")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dataset, "download", cut_off)
    (record,) = dataset.ganbench_datasets()
    with pytest.raises(SystemExit) as ended:
        main(["run", "--suite", record.name, "--device", "cpu"])
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert ended.value.code == 2 and "no route to host" in line and "GANBENCH_DATA" in line
    assert not (tmp_path / "runs").exists()
