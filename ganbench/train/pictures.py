"""`samples.png`: a grid of images, or points in the plane over the real ones."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from ganbench.api import SampleSpec
from ganbench.record.files import write_atomic

GRID = (8, 10)
"""Rows and columns of a grid; for a conditional run column c shows class c (mod classes)."""
POINTS = 2_500
SIDE = 480
"""Pixels of a picture of points."""
_REAL, _MADE = np.array([205.0, 205.0, 205.0]), np.array([214.0, 39.0, 40.0])


def wanted(spec: SampleSpec) -> int:
    """How many samples the picture takes; 0 where there is none."""
    if spec.modality == "image":
        return GRID[0] * GRID[1]
    return POINTS if spec.shape == (2,) else 0


def write(folder: Path, spec: SampleSpec, samples: np.ndarray, real: np.ndarray) -> None:
    """Write the picture of samples in the declared form; real: what they are drawn over, if they are points."""
    drawn = grid(samples) if spec.modality == "image" else scatter(samples, real)
    data = io.BytesIO()
    drawn.save(data, "PNG", optimize=True)
    write_atomic(folder / "samples.png", lambda f: f.write(data.getvalue()))


def grid(images: np.ndarray, columns: int = GRID[1], scale: int = 2) -> Image.Image:
    """uint8 images `(N, C, H, W)`, one or three channels, in rows of `columns`."""
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, channels, height, width), np.uint8)
    sheet[:count] = images
    sheet = sheet.reshape(rows, columns, channels, height, width).transpose(0, 3, 1, 4, 2)
    sheet = sheet.reshape(rows * height, columns * width, channels)
    picture = Image.fromarray(sheet[..., 0] if channels == 1 else sheet)
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def scatter(made: np.ndarray, real: np.ndarray) -> Image.Image:
    """Points `(N, 2)` in red over the first as many real ones in grey; the frame follows the real ones alone."""
    low, high = real.min(0), real.max(0)
    margin = 0.25 * (high - low).max()
    sheet = np.full((SIDE, SIDE, 3), 255.0)
    for points, colour in ((real[: len(made)], _REAL), (made, _MADE)):
        points = points[np.isfinite(points).all(1)]
        place = (points - (low + high) / 2) / ((high - low).max() + 2 * margin) + 0.5
        column, row = np.floor(place.clip(-1, 2).T * SIDE).astype(int)
        for across in (0, 1):  # a dot is two pixels wide
            for down in (0, 1):
                x, y = column + across, SIDE - 1 - row + down
                inside = (x >= 0) & (x < SIDE) & (y >= 0) & (y < SIDE)
                sheet[y[inside], x[inside]] = colour
    return Image.fromarray(sheet.astype(np.uint8))
