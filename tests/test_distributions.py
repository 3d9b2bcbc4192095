"""Distributions of plugins: the example and what `ganbench new --package` writes, installed by pip."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.cli import main

pytestmark = pytest.mark.xdist_group("distributions")
EXAMPLE = Path(__file__).resolve().parents[1] / "plugins" / "examples" / "boundary-seeking"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, pip_install: Callable[[Path, Path], None]) -> Path:
    """A folder with a new package `my-own`, and both distributions installed in its folder `site`."""
    folder = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            main(["new", "loss", "my-own", "--package"])
    assert ended.value.code == 0
    for source in (EXAMPLE, folder / "my-own"):
        pip_install(source, folder / "site")
    return folder


def python(desk: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Python, for whom both distributions are installed."""
    path = os.pathsep.join([str(desk / "site"), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path, "GANBENCH_CACHE": str(desk / "cache")}
    return subprocess.run(
        [sys.executable, *words], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_what_is_installed_is_found(desk: Path) -> None:
    done = python(desk, "-m", "ganbench", "plugins", "--format", "json", cwd=desk)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["broken"] == []
    found = {
        about["module"]: (about["distribution"], about["version"], about["provider"], about["registers"])
        for about in told["plugins"]
        if about["distribution"] != "ganbench"
    }
    assert found == {
        "boundary_seeking.loss": ("boundary-seeking", "1.0.0", "boundary", ["loss/boundary-seeking"]),
        "boundary_seeking.energy_distance": ("boundary-seeking", "1.0.0", "boundary", ["metric/energy-distance"]),
        "my_own": ("my-own", "0.1.0", "my-own", ["loss/my-own"]),
    }
    listed = python(desk, "-m", "ganbench", "list", cwd=desk).stdout
    for name in ("boundary-seeking", "energy-distance", "my-own"):
        assert f" {name} " in listed


@pytest.mark.parametrize(
    ("folder", "options", "fewest"), [(str(EXAMPLE), [], 25), ("my-own", ["-k", "output or values"], 3)]
)
def test_its_own_tests_pass(folder: str, options: list[str], fewest: int, desk: Path) -> None:
    """As their author runs them: `pytest` in the distribution's folder, of which one here runs in part."""
    words = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *options]
    done = python(desk, "-B", "-m", "pytest", *words, cwd=desk / folder)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    counted = re.search(r"(\d+) passed", done.stdout)
    assert counted and int(counted[1]) >= fewest and "failed" not in done.stdout
