"""A run's grid of samples, made small enough to commit."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import Image

GRID_BYTES = 50_000
"""Most bytes that a published grid may have."""
_LARGEST = 4096


def small_grid(file: Path) -> bytes | None:
    """The PNG written anew (pixels only, no metadata), with rows cut off below until it is small; None if that fails.

    A file that is no PNG, or a suspiciously large one, gives None: a picture is an ornament, its run counts without.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=["PNG"]) as opened:
            if max(opened.size) > _LARGEST:
                return None
            image = opened.convert("L" if opened.mode in ("1", "L", "LA", "I;16") else "RGB")
            image.info.clear()
    except Exception:  # Pillow's decoders raise whatever a foreign file leads them to
        return None
    eighths = 8
    while eighths and (height := image.height * eighths // 8):
        data = _png(image.crop((0, 0, image.width, height)))
        if len(data) <= GRID_BYTES:
            return data
        eighths = min(eighths - 1, eighths * GRID_BYTES // len(data))
    return None


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
