"""The overhead of a tier is measured on what was run: every part has its row, and together they are the whole."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "measure_overhead.py"
OF_ALL = ("training steps, by ganbench bench", "samples drawn", "samples scored")


@pytest.mark.full
def test_the_parts_of_what_a_tier_took(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    chosen = ["--suite", "smoke", "--tier", "smoke", "--architecture", "mlp", "--loss", "non-saturating"]
    command = [sys.executable, str(SCRIPT), str(out), *chosen, "--seconds", "0.5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = dict(re.findall(r"^\| (.+?) \| (-?\d+\.\d) \|", done.stdout, re.MULTILINE))
    seconds = {name: float(value) for name, value in rows.items()}
    assert done.stdout.startswith("4 runs, 1 of them trained; processor seconds")
    assert len(list(out.glob("*/*/result.json"))) == 4
    whole = seconds.pop("whole")
    assert all(seconds[name] > 0 for name in (*OF_ALL, "command: plan, leaderboard"))
    assert sum(seconds.values()) == pytest.approx(whole, abs=0.06 * len(seconds)), "rounding apart"
    assert sum(seconds[name] for name in OF_ALL) < whole
