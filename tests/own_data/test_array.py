"""Arrays in a file: layouts, labels, points, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganbench.errors import UsageError
from ganbench.own_data.array import Array
from ganbench.own_data.prepare import prepare
from ganbench.own_data.samples import Samples
from ganbench.own_data.source import Shaping, Source
from ganbench.own_data.store import find

DRAW = np.random.default_rng(0)
IMAGES = DRAW.integers(0, 256, (50, 3, 4, 6), np.uint8)
LABELS = np.arange(50) % 3 * 5
POINTS = DRAW.normal(size=(60, 2))


def saved(folder: Path, **arrays: Any) -> Path:
    file = folder / "data.npz"
    np.savez(file, **arrays)
    return file


def read(file: Path, shaping: Shaping | None = None, layout: str | None = None, labels: bool = True) -> Samples:
    return Array(Source("npz", str(file), shaping or Shaping(), layout=layout, labels=labels)).read()


def test_every_layout(tmp_path: Path) -> None:
    for name, stored in {"NCHW": IMAGES, "NHWC": IMAGES.transpose(0, 2, 3, 1)}.items():
        for layout in (None, name):
            assert (read(saved(tmp_path, images=stored), layout=layout).x == IMAGES).all()
    grey = read(saved(tmp_path, images=IMAGES[:, 0]))
    assert (grey.x == IMAGES[:, :1]).all() and grey.y is None
    twofold = np.zeros((5, 3, 8, 3), np.uint8)
    with pytest.raises(UsageError, match="may be NCHW or NHWC"):
        read(saved(tmp_path, images=twofold))
    assert read(saved(tmp_path, images=twofold), layout="NHWC").x.shape == (5, 3, 3, 8)


def test_labels_are_numbered_from_0_in_their_order(tmp_path: Path) -> None:
    file = saved(tmp_path, images=IMAGES, labels=LABELS + 7)
    samples = read(file)
    assert samples.y is not None and samples.y.dtype == np.int64 and (samples.y == LABELS // 5).all()
    assert read(file, labels=False).y is None
    one = read(saved(tmp_path, images=IMAGES, labels=np.full(50, 4)))
    assert one.y is None and "one class only ('4')" in one.remarks[0]
    with pytest.raises(UsageError, match="labels must be whole numbers, not float64"):
        read(saved(tmp_path, images=IMAGES, labels=LABELS / 2))


def test_images_can_be_fitted(tmp_path: Path) -> None:
    file = saved(tmp_path, images=IMAGES, labels=LABELS)
    samples = read(file, Shaping(4, channels=1))
    assert samples.x.shape == (50, 1, 4, 4) and samples.y is not None and (samples.y == LABELS // 5).all()
    assert (read(file, Shaping(4)).x == IMAGES[..., 1:5]).all(), "the middle square, not resampled"
    assert read(saved(tmp_path, images=IMAGES[:, 0]), Shaping(channels=3)).x.shape == (50, 3, 4, 6)


def test_points_become_a_data_set(tmp_path: Path, cache: Path) -> None:
    file = saved(tmp_path, points=POINTS, labels=np.arange(60) % 2)
    prepared = prepare(Source("npz", str(file)))
    dataset = find(prepared.name)
    assert dataset is not None
    assert (dataset.spec.shape, dataset.spec.modality, dataset.spec.range, dataset.spec.classes) == (
        (2,), "points", None, 2
    )  # fmt: skip
    parts = [dataset.load(split) for split in dataset.splits]
    together = np.concatenate([x for x, _ in parts])
    assert together.dtype == np.float32 and [len(x) for x, _ in parts] == list(prepared.made["sizes"].values())
    assert sorted(map(tuple, together)) == sorted(map(tuple, POINTS.astype(np.float32)))
    assert "size" not in prepared.made and prepared.made["split"] == {"val": 0.1, "test": 0.1, "seed": 0}
    with pytest.raises(UsageError, match="have no size, crop, resize or channels"):
        read(file, Shaping(8))


def test_what_is_refused(tmp_path: Path) -> None:
    for arrays, line in (
        ({"images": IMAGES / 255}, "expected uint8 images"),
        ({"images": IMAGES.astype(np.int32)}, "expected uint8 images"),
        ({"images": np.zeros((5, 4, 8, 8), np.uint8)}, "no axis of 1 or 3 channels"),
        ({"images": np.array([[object()]] * 3)}, "holds Python objects, which are not read"),
        ({"points": np.where(POINTS > 1, np.nan, POINTS)}, "not finite"),
        ({"points": POINTS * 1e300}, "not finite"),
    ):
        with pytest.raises(UsageError, match=line) as error:
            read(saved(tmp_path, **arrays))
        assert "data.npz" in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(UsageError, match="no such file"):
        Array(Source("npz", str(tmp_path / "none.npz"))).listing()
