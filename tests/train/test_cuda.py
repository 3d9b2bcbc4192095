"""The CUDA path of the reference mode; skipped where there is no GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ganbench import Recipe
from ganbench.plan.recipe import ENGINE
from ganbench.train.draws import Latents

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def records(folder: Path, *more: str) -> dict[str, dict[str, Any]]:
    folder.mkdir()
    command = [sys.executable, "-m", "ganbench", "run", "--suite", "smoke", "--device", "cuda:0", *more]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(f.read_text()) for f in folder.rglob("result.json")]
    return {r["run_id"]: r for r in found}


def test_twice_the_same_bits(tmp_path: Path) -> None:
    """Identical weights and scores from the same command."""
    first, second = records(tmp_path / "one"), records(tmp_path / "two")
    assert first.keys() == second.keys()
    for run_id, record in first.items():
        assert record["weights"] == second[run_id]["weights"]
        assert [s["value"] for s in record["scores"]] == [s["value"] for s in second[run_id]["scores"]]


def test_penalties_run_deterministically(tmp_path: Path) -> None:
    """Double backward has a deterministic kernel for every operation of the zoo's critics."""
    found = records(tmp_path / "penalty", "--loss", "wgan-gp", "--architecture", "dcgan", "--architecture", "resnet")
    assert all(r["status"] == "completed" for r in found.values())


def test_latents_do_not_depend_on_the_device() -> None:
    """They are drawn on the CPU."""
    recipe = Recipe(ENGINE)
    here, there = (Latents(recipe, 0, torch.device(d), None).draw(64, "test").z for d in ("cpu", "cuda:0"))
    assert here is not None and there is not None
    assert torch.equal(here, there.cpu())
