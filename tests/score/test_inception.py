"""The Inception path end to end, on a data set of a few digits: a user's weights file, a chosen layer, honest names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

IMAGES = 12
PLUGIN = f'''
"""A few digits of mnist-5k, with a reference of their own."""
from ganbench import Dataset, SampleSpec, hookimpl

def load(split):
    from ganbench_zoo.datasets.mnist_5k import load as whole
    samples, labels = whole("train")
    start = {{"train": 0, "val": 1, "test": 2}}[split]
    return samples[start::400][:{IMAGES}].copy(), labels[start::400][:{IMAGES}].copy()

@hookimpl
def ganbench_datasets():
    yield Dataset("few", SampleSpec((1, 28, 28), (-1.0, 1.0), "image", 10), load, licence="CC BY-SA 3.0")
'''
SUITE = f"""
title = "A few digits"
version = 1
dataset = "few"
extractor = "mnist-cnn"
metrics = ["frechet-distance", "classifier-score"]
headline = "fd/mnist-cnn"
scale = ["noise"]
[tiers.tiny]
budget = {{ real_images = 64 }}
seeds = 1
ranks = false
samples = {IMAGES}
entries = [{{ architecture = "mlp", loss = "hinge" }}]
"""


def run(folder: Path, extractor: str) -> tuple[list[dict[str, Any]], str]:
    """Records of the tiny suite under an extractor."""
    (folder / "few.py").write_text(PLUGIN)
    (folder / "tiny.toml").write_text(SUITE)
    command = ["run", "--suite", "tiny.toml", "-p", "few.py", "--extractor", extractor]
    environment = {**os.environ, "GANBENCH_CACHE": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "ganbench", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(f.read_text()) for f in folder.rglob("result.json")], done.stdout


def columns(record: dict[str, Any]) -> dict[str, float | None]:
    return {s["column"]: s["value"] for s in record["scores"]}


def test_real_weights_serve_layer_768(tmp_path: Path) -> None:
    root = os.environ.get("GANBENCH_DATA")
    files = sorted(Path(root, "inception").glob("*layers*768.pth")) if root else []
    if not files:
        pytest.skip("needs inception/weights-…-layers-64-192-768.pth in GANBENCH_DATA")
    records, shown = run(tmp_path, f"inception-v3-compat@768={files[0]}")
    assert len(records) == 2
    for record in records:
        found = columns(record)
        assert set(found) == {"fd/inception-v3-compat-768", "classifier-score/inception-v3-compat-768"}
        assert found["fd/inception-v3-compat-768"] is not None
        assert found["classifier-score/inception-v3-compat-768"] is None, "there are no logits at this layer"
    values = {r["entry"]["label"]: columns(r)["fd/inception-v3-compat-768"] for r in records}
    assert all(v > 0 for v in values.values())
    assert "FID" not in shown


def test_random_weights_serve_everything_but_the_names(tmp_path: Path) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3 as Network

    generator = torch.Generator().manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:  # only to have the names and shapes of a network without weights
        patch.setattr(Network, "load_state_dict", lambda self, state: None)
        patch.setattr("torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url", lambda *a, **k: {})
        shapes = Network("shapes", ["2048"]).state_dict()
    state = {
        k: torch.randn(v.shape, generator=generator) * 0.05 if v.dim() > 1 else torch.ones_like(v)
        for k, v in shapes.items()
    }
    file = tmp_path / "random.pth"
    torch.save(state, file)
    records, shown = run(tmp_path, f"inception-v3-compat={file}")
    for record in records:
        found = columns(record)
        assert set(found) == {"fd/inception-v3-compat", "classifier-score/inception-v3-compat"}
        assert all(value is not None for value in found.values()), record["scores"]
    assert "FID" not in shown and "IS " not in shown
