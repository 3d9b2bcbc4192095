"""The whole quick tier on real MNIST: what its leaderboard must show (about ten minutes on two cores)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one finished quick run."""
    if not os.environ.get("GANBENCH_DATA"):
        pytest.skip("needs MNIST: set GANBENCH_DATA to a folder that has it")
    folder = tmp_path_factory.mktemp("quick")
    command = [sys.executable, "-m", "ganbench", "run", "--suite", "mnist"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def records(home: Path) -> list[dict[str, Any]]:
    return [json.loads(f.read_text()) for f in (home / "runs" / "mnist-quick").glob("*/result.json")]


def headline(record: dict[str, Any]) -> float:
    column = record["suite"]["headline"]
    return next(s["value"] for s in record["scores"] if s["column"] == column and s["headline_variant"])


def test_the_scale_is_in_order(records: list[dict[str, Any]]) -> None:
    scale = {r["entry"]["scale"]: headline(r) for r in records if r["kind"] == "scale"}
    assert scale["real"] < scale["ten-images"] < scale["constant"] < scale["noise"]


def test_entries_seeds_and_the_best_row(records: list[dict[str, Any]]) -> None:
    trained = [r for r in records if r["kind"] == "trained"]
    assert len({r["entry"]["key"] for r in trained}) >= 8
    assert {r["seed"] for r in trained} == {0, 1}
    assert all(r["status"] == "completed" for r in trained)
    constant = next(headline(r) for r in records if r["entry"]["scale"] == "constant")
    assert min(headline(r) for r in trained) < constant / 2


def test_no_ranks_and_why(home: Path) -> None:
    shown = (home / "stdout.txt").read_text()
    assert "No ranks" in shown and "Rank " not in shown
    assert "too short to compare losses" in shown


def test_the_levels_are_those_of_the_script(registry: Any) -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    from ganbench.plan.suite import read_suite

    if not os.environ.get("GANBENCH_DATA"):
        pytest.skip("needs MNIST: set GANBENCH_DATA to a folder that has it")
    found = spec_from_file_location("calibrate", Path(__file__).parents[2] / "scripts" / "calibrate_levels.py")
    assert found and found.loader
    script = module_from_spec(found)
    found.loader.exec_module(script)
    suite = read_suite(registry.get("suite", "mnist").file)
    tier = suite.tier("quick")
    bounds = script.calibrate(registry, suite, tier.samples, dict(tier.params["precision-recall"]))
    for key, value in bounds.items():
        assert suite.levels["learnt"][key] == pytest.approx(value, abs=0.02)
