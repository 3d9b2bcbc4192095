"""A cache of the test's own, and ways to make folders of pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`GANBENCH_CACHE`."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of different grey PNGs: class (or "" for none) → how many."""

    def make(size: int = 4, **classes: int) -> Path:
        root = tmp_path / "pictures"
        draw = np.random.default_rng(0)
        for name, count in classes.items():
            (root / name).mkdir(parents=True, exist_ok=True)
            for at in range(count):
                Image.fromarray(draw.integers(0, 256, (size, size), np.uint8)).save(root / name / f"{at}.png")
        return root

    return make
