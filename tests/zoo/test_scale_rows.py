"""Rows that give the scale: what they draw, for every kind of data, and the order that they stand in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ganbench import Recipe, ScaleRow
from ganbench_zoo.datasets import mnist_5k
from ganbench_zoo.extractors import mnist_cnn
from ganbench_zoo.metrics import frechet_distance
from ganbench_zoo.scale_rows import constant, memorizer, noise, real, ten_images

MODULES = (real, memorizer, ten_images, constant, noise)
ROWS: dict[str, ScaleRow] = {row.name: row for module in MODULES for row in module.ganbench_scale_rows()}
DRAWN = [name for name, row in ROWS.items() if row.samples]


def images(split: str) -> tuple[np.ndarray, np.ndarray]:
    assert split == "train"
    generator = np.random.default_rng(0)
    return generator.integers(0, 200, (60, 3, 4, 4), np.uint8), np.arange(60) % 6


def audio(split: str) -> tuple[np.ndarray, None]:
    return np.random.default_rng(1).integers(-3000, 3000, (40, 1, 50), np.int16), None


def points(split: str) -> tuple[np.ndarray, None]:
    return np.random.default_rng(2).normal(0, 3, (50, 2)).astype(np.float32), None


def draw(name: str, load: Callable[[str], tuple[Any, Any]], n: int, seed: int = 0) -> tuple[np.ndarray, Any]:
    samples = ROWS[name].samples
    assert samples is not None
    return samples(load, n, np.random.default_rng(seed))


def test_every_role_is_there_once() -> None:
    roles = {name: row.role for name, row in ROWS.items()}
    assert roles == {
        "real": "floor",
        "memorizer": "copies",
        "ten-images": "collapse",
        "constant": "degenerate",
        "noise": "ceiling",
    }
    assert ROWS["real"].split == "val" and ROWS["real"].samples is None


@pytest.mark.parametrize("load", [images, audio, points], ids=["uint8", "int16", "float32"])
@pytest.mark.parametrize("name", DRAWN)
def test_the_declared_form_is_kept_and_seeded(name: str, load: Callable[[str], tuple[Any, Any]]) -> None:
    x, _ = load("train")
    for n in (1, 37, 150):
        made, labels = draw(name, load, n)
        assert made.shape == (n, *x.shape[1:]) and made.dtype == x.dtype
        assert labels is None or (labels.shape == (n,) and labels.dtype == np.int64)
        assert np.array_equal(made, draw(name, load, n)[0])
    different = not np.array_equal(made, draw(name, load, n, seed=1)[0])
    assert different == (name != "constant")


def rows(x: np.ndarray) -> list[bytes]:
    return [one.tobytes() for one in x]


def test_the_memorizer_repeats_nothing_before_it_has_shown_all() -> None:
    x, y = images("train")
    known = dict(zip(rows(x), y, strict=True))
    made, labels = draw("memorizer", images, 60)
    assert sorted(rows(made)) == sorted(known)
    assert [known[r] for r in rows(made)] == labels.tolist()
    counts = np.unique(rows(draw("memorizer", images, 130)[0]), return_counts=True)[1]
    assert set(counts.tolist()) == {2, 3} and len(counts) == 60


def test_ten_images_are_one_of_each_class_in_equal_shares() -> None:
    x, y = images("train")
    made, labels = draw("ten-images", images, 120)
    known = dict(zip(rows(x), y, strict=True))
    assert len(set(rows(made))) == 6 and np.bincount(labels).tolist() == [20] * 6
    assert [known[r] for r in rows(made)] == labels.tolist()
    assert len(set(rows(draw("ten-images", points, 120)[0]))) == 10


def test_constant_is_the_rounded_mean() -> None:
    made, _ = draw("constant", images, 5)
    assert np.array_equal(made[3], np.rint(images("train")[0].mean(0)).astype(np.uint8))


def test_noise_fills_its_range_evenly() -> None:
    made, _ = draw("noise", images, 400)
    counts = np.bincount(made.ravel(), minlength=256)
    assert made.min() == 0 and made.max() == 255 and counts.min() > 30 and counts.max() < 130
    x, (low, high) = points("train")[0], np.quantile(draw("noise", points, 5000)[0], [0, 1])
    assert x.min() <= low < x.min() + 0.1 and x.max() - 0.1 < high <= x.max()


def test_the_order_on_digits() -> None:
    """`real` < ten-images < constant < noise in Fréchet distance to test, by the shipped extractor."""
    extractor = next(iter(mnist_cnn.ganbench_extractors()))
    reference = {r.split: load_file(r.file)["features"].float() for r in extractor.references}
    network = extractor.build(None, ("features",))
    metric = next(iter(frechet_distance.ganbench_metrics()))

    def distance(features: torch.Tensor) -> float:
        return metric.compute({"features": reference["test"]}, {"features": features}, Recipe(), "cpu")["fd"]

    found = {"real": distance(reference["val"])}
    for name in DRAWN:
        made = torch.from_numpy(draw(name, mnist_5k.load, 1000)[0])
        with torch.no_grad():
            found[name] = distance(torch.cat([network(batch)[0] for batch in made.split(250)]))
    assert found["real"] < found["memorizer"] < found["ten-images"] < found["constant"] < found["noise"], found
    assert found["memorizer"] < found["ten-images"] / 3
