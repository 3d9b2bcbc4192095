"""What every test shares: one thread each, the default width of pages, the same draws whatever ran before it, the
registry of the installed plugins, pip without a network."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench import plugins

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # nothing above imports torch, which reads them once
os.environ.pop("COLUMNS", None)  # tox tells the width of its own terminal


@pytest.fixture(autouse=True)
def same_draws() -> None:
    """A test that draws with torch draws the same alone and after any other test."""
    if (torch := sys.modules.get("torch")) is not None:  # torch itself starts from one state
        torch.manual_seed(0)


@pytest.fixture(scope="session")
def registry() -> plugins.Registry:
    """Everything that the installed plugins register; not one of them may be broken."""
    found = plugins.load()
    assert not found.broken, [f"{b.source}: {b.reason}" for b in found.broken]
    return found


@pytest.fixture(scope="session")
def pip_install() -> Callable[[Path, Path], None]:
    """Installs a distribution's folder into a folder of its own; what it needs is here already."""
    if importlib.util.find_spec("pip") is None or importlib.util.find_spec("hatchling") is None:
        pytest.skip("needs pip and hatchling in this environment")

    def install(source: Path, site: Path) -> None:
        words = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
        command = [sys.executable, "-W", "ignore", "-m", "pip", "install", *words, "--target", str(site), str(source)]
        subprocess.run(command, check=True, timeout=300)

    return install
