"""The zoo's numbers against torch-fidelity's own: its separate calls in process, and its command line on PNG files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch_fidelity
from PIL import Image
from torch.utils.data import Subset

from ganbench.plugins import Registry
from ganbench.score.extraction import Extraction
from ganbench.score.fidelity import register

DATA = Path(os.environ.get("GANBENCH_DATA", ""))
INCEPTION = DATA / "inception" / "weights-inception-2015-12-05-layers-64-192-768.pth"
FILES = [DATA / name / "raw" / "t10k-images-idx3-ubyte" for name in ("MNIST", "FashionMNIST")]
OPTIONS = {"isc": {"isc_splits": 5}, "fid": {}, "kid": {"kid_subsets": 10, "kid_subset_size": 200}, "prc": {}}
METRICS = {"classifier-score": {"splits": 5}, "frechet-distance": {}, "precision-recall": {}}
THEIRS = {
    "fd": "frechet_inception_distance",
    "kid": "kernel_inception_distance_mean",
    "classifier-score": "inception_score_mean",
    "precision": "precision",
    "recall": "recall",
}


def colour(x: np.ndarray) -> Subset:
    """Grey images as torch-fidelity wants them: a data set of uint8 `(3, H, W)`."""
    return Subset(torch.from_numpy(x).repeat(1, 3, 1, 1), range(len(x)))


def extraction(registry: Registry, name: str, layer: str | None = None, file: Path | None = None) -> Extraction:
    found = registry.find("extractor", name)
    features, logits = layer or found.record.features, None if layer else found.record.logits
    plan = {"name": name, "features": features, "logits": logits, "public": {}}
    return Extraction(plan, found.record, found.provenance.sha256, found.record.weights(file), "cpu")


def agree(ours: dict[str, float], theirs: dict[str, float], traces: float) -> None:
    """The bound of each column: distances relative to the covariances' traces, shares of samples exactly."""
    assert ours
    for column, value in ours.items():
        bound = {"fd": 1e-6 * traces, "kid": 1e-6, "precision": 1e-6, "recall": 1e-6}.get(column, 1e-6 * value)
        assert value == pytest.approx(theirs[THEIRS[column]], abs=bound), column


def test_five_columns_equal_separate_calls(registry: Registry) -> None:
    x, _ = registry.get("dataset", "mnist-5k").load("train")
    real, fake = x[::10], x[5::10].copy()
    fake[::3] = np.roll(fake[::3], 2, 3)
    under = extraction(registry, "mnist-cnn")
    sides = [under(real), under(fake)]
    ours: dict[str, float] = {}
    for name, params in {**METRICS, "kid": {"subsets": 10, "subset_size": 200}}.items():
        metric = registry.get("metric", name)
        ours |= metric.compute(*sides, {**metric.params, **params}, "cpu")
    theirs: dict[str, float] = {}
    for call, options in OPTIONS.items():
        theirs |= torch_fidelity.calculate_metrics(
            input1=colour(fake), input2=colour(real), **{call: True}, **options,
            feature_extractor=register(under.record, under.weights.file, under.weights.sha256),
            samples_shuffle=True, rng_seed=2020, batch_size=64, cuda=False, cache=False, verbose=False,
        )  # fmt: skip
    traces = sum(float(side["features"].var(0).sum()) for side in sides)
    assert ours["fd"] > 1e-3 * traces  # the two sides differ
    agree(ours, theirs, traces)


@pytest.mark.skipif(not INCEPTION.is_file(), reason="GANBENCH_DATA names no folder with Inception weights")
@pytest.mark.skipif(not all(f.is_file() for f in FILES), reason="GANBENCH_DATA lacks MNIST or FashionMNIST")
@pytest.mark.parametrize("images", [64, pytest.param(1_000, marks=pytest.mark.full)])
@pytest.mark.filterwarnings("ignore:.*rank-deficient")
def test_four_columns_equal_the_command_line_on_png_files(registry: Registry, tmp_path: Path, images: int) -> None:
    n = images // 2
    sides = [np.fromfile(f, np.uint8, n * 784, offset=16).reshape(n, 1, 28, 28) for f in FILES]
    for name, side in zip(("real", "fake"), sides, strict=True):
        (tmp_path / name).mkdir()
        for at, image in enumerate(side):
            Image.fromarray(image[0]).save(tmp_path / name / f"{at:04}.png")
    under = extraction(registry, "inception-v3-compat", "768", INCEPTION)
    features = [under(side) for side in sides]
    ours: dict[str, float] = {}
    for metric_name, params in {**METRICS, "kid": {"subsets": 5, "subset_size": n}}.items():
        metric = registry.get("metric", metric_name)
        if "logits" not in metric.needs:
            ours |= metric.compute(*features, {**metric.params, **params}, "cpu")
    layers = [f"--feature-layer-{call}=768" for call in ("fid", "kid", "prc")]
    command: list[Any] = [sys.executable, "-m", "torch_fidelity.fidelity", "--cpu", "--json", "--silent", "--no-cache"]
    command += ["--fid", "--kid", "--prc", "--feature-extractor=inception-v3-compat", *layers]
    command += [f"--feature-extractor-weights-path={INCEPTION}", "--kid-subsets=5", f"--kid-subset-size={n}"]
    command += ["--input1", tmp_path / "fake", "--input2", tmp_path / "real"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    traces = sum(float(side["features"].var(0).sum()) for side in features)
    agree(ours, json.loads(done.stdout), traces)
