"""The same command gives the same weights and scores, whatever the folder and the number of jobs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMMAND = ["run", "--suite", "smoke", "--set", "batch_size=32", "--architecture", "mlp", "--architecture", "dcgan"]


def run(folder: Path, *more: str) -> dict[str, dict[str, Any]]:
    """Records by run id."""
    folder.mkdir()
    command = [sys.executable, "-m", "ganbench", *COMMAND, *more]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    records = [json.loads(f.read_text()) for f in folder.rglob("result.json")]
    return {r["run_id"]: r for r in records}


def lasting(record: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on when and beside what it ran."""
    looks = [{k: v for k, v in look.items() if k != "seconds"} for look in record["looks"]]
    counters = {k: v for k, v in record["counters"].items() if k != "seconds"}
    return {k: record[k] for k in ("weights", "scores", "sanity", "entry", "seed")} | {
        "looks": looks,
        "counters": counters,
    }


@pytest.mark.parametrize("jobs", [("1", "2")])
def test_twice_the_same(tmp_path: Path, jobs: tuple[str, str]) -> None:
    first, second = (run(tmp_path / f"jobs-{n}", "--jobs", n) for n in jobs)
    assert first.keys() == second.keys() and len(first) >= 5
    trained = [r for r in first.values() if r["kind"] == "trained"]
    assert trained and all(r["weights"]["G"] and r["weights"]["D"] for r in trained)
    for run_id, record in first.items():
        assert lasting(record) == lasting(second[run_id])
