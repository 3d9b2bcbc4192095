"""The comparison of extractors: graded samples are what their names say, τ is τ, and the page holds the tables."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from ganbench_zoo.datasets import mnist_5k

N = 40


@pytest.fixture(scope="module")
def scripts():
    """The two modules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
        import compare_extractors
        import graded_samples

        yield compare_extractors, graded_samples


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    return mnist_5k.load("train")


def edges(images: np.ndarray) -> float:
    """How much neighbouring pixels differ."""
    return float(np.abs(np.diff(images.astype(float), axis=3)).mean())


def test_graded_samples_are_what_their_names_say(scripts: tuple[ModuleType, ...], digits):
    _, graded = scripts
    images, labels = digits
    found, more = graded.families(images, labels, N), graded.families(images, labels, 2 * N)
    for family, degrees in found.items():
        for degree, x in degrees.items():
            assert x.shape == (N, 1, 28, 28) and x.dtype == np.uint8
            assert (more[family][degree][:N] == x).all(), "a greater number begins with the smaller one's"
    real = found["real"][""]
    known = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    assert len({image.tobytes() for image in real} & set(known)) == N
    sharpness = [edges(x) for x in (real, *found["blurred"].values())]
    assert sharpness == sorted(sharpness, reverse=True)
    faults = [np.abs(x.astype(int) - real).mean() for x in found["pixel noise"].values()]
    assert 0 < faults[0] < faults[1]
    for gone, x in zip((2, 5), found["classes missing"].values(), strict=True):
        assert {known[image.tobytes()] for image in x} == set(range(gone, 10))
    for family in ("noise among them", "one image among them"):
        changed = [int((x != real).any((1, 2, 3)).sum()) for x in found[family].values()]
        assert all(n - 1 <= count <= n for n, count in zip((N // 10, N // 2, N), changed, strict=True)), "one is real"
    assert len(np.unique(found["one image among them"]["100 %"], axis=0)) == 1
    assert [known[image.tobytes()] for image in found["10 images, repeated"][""][:10]] == list(range(10))
    assert set(np.unique(found["two grey levels"][""])) == {0, 255}


def test_each_image_is_extracted_once_and_kept(scripts, tmp_path):
    compare, _ = scripts
    seen: list[int] = []

    def network(batch: torch.Tensor) -> tuple[torch.Tensor]:
        seen.append(len(batch))
        return (batch.flatten(1).float(),)

    images = np.random.default_rng(0).integers(0, 256, (60, 1, 2, 2), np.uint8)
    features = compare.Features(network, tmp_path / "kept.safetensors")
    twice = np.concatenate([images, images[::-1]])
    assert features(twice).equal(torch.from_numpy(twice.reshape(120, 4).astype(np.float32)))
    again = compare.Features(network, tmp_path / "kept.safetensors")
    assert again(images).equal(features(images)) and sum(seen) == 60


def test_tau_and_its_interval(scripts):
    compare, _ = scripts
    a = list(np.random.default_rng(0).normal(size=14))
    assert compare.tau(a, np.exp(a)) == 1 and compare.interval(a, np.exp(a)) == (1, 1)
    assert compare.tau(a, np.negative(a)) == -1 and compare.interval(a, np.negative(a)) == (-1, -1)
    b = list(np.random.default_rng(1).normal(size=14))
    pairs = [(a[i] - a[j]) * (b[i] - b[j]) > 0 for i in range(14) for j in range(i)]
    assert compare.tau(a, b) == pytest.approx(2 * np.mean(pairs) - 1)
    low, high = compare.interval(a, b)
    assert low < compare.tau(a, b) < high and high - low > 0.3
    distances = {"real": 1.0, "x, 1": 2.0, "x, 2": 1.5, "y": 0.5}
    assert compare.order_kept({"x": ["x, 1", "x, 2"], "y": ["y"]}, distances) == (1, 3, ["x, 1 → x, 2", "real → y"])


def test_the_page_gets_the_tables_and_keeps_the_rest(scripts, digits, tmp_path, monkeypatch, capsys):
    compare, _ = scripts
    images, labels = digits
    halves = {"train": (images[::2], labels[::2]), "test": (images[1::2], labels[1::2])}
    recipe = dataclasses.replace(compare.RECIPES["mnist-cnn"], dataset=SimpleNamespace(load=halves.__getitem__))
    monkeypatch.setitem(compare.RECIPES, "mnist-cnn", recipe)
    monkeypatch.setenv("GANBENCH_DATA", "")
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "none"))
    page = tmp_path / "page.md"
    page.write_text("# A page\n\nBefore.\n")
    words = ["mnist-cnn", "--samples", str(N), "--cache", str(tmp_path / "cache"), "--page", str(page)]
    compare.main(words)
    once = page.read_text()
    page.write_text(once + "\nAfter.\n")
    compare.main(words)
    assert page.read_text() == once + "\nAfter.\n" and once.startswith("# A page\n\nBefore.\n")
    rows = {line.split(" | ")[0].strip("| "): line for line in once.splitlines() if line.startswith("| ")}
    assert {"real", "noise among them, 100 %", "`mnist-cnn`, `random-cnn`"} <= set(rows)
    ranks = {name: [int(cell.split("(")[1].split(")")[0]) for cell in rows[name].split(" | ")[1:]]
             for name in ("real", "noise among them, 100 %", "one image among them, 100 %")}  # fmt: skip
    assert all(a < b for a, b in zip(ranks["real"], ranks["noise among them, 100 %"], strict=True))
    assert all(a < b for a, b in zip(ranks["real"], ranks["one image among them, 100 %"], strict=True))
    assert "inception" not in once
