"""`samples.png`: what stands where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ganbench import SampleSpec
from ganbench.train import pictures

POINTS = SampleSpec((2,), None, "points")


def drawn(folder: Path, spec: SampleSpec, samples: np.ndarray, real: np.ndarray) -> np.ndarray:
    pictures.write(folder, spec, samples, real)
    with Image.open(folder / "samples.png") as picture:
        return np.asarray(picture)


def test_a_grid_reads_like_a_page(tmp_path: Path) -> None:
    images = np.stack([np.full((1, 4, 4), 3 * i, np.uint8) for i in range(12)])
    sheet = drawn(tmp_path, SampleSpec((1, 4, 4)), images, images)
    assert sheet.shape == (2 * 8, 10 * 8)
    assert sheet[0, 0] == 0 and sheet[0, 79] == 27 and sheet[8, 8] == 33 and sheet[15, 79] == 0


def test_points_up_is_up_and_the_frame_is_the_real_ones(tmp_path: Path) -> None:
    real = np.array([[-1, -1], [1, 1], [-1, 1], [1, -1]], np.float32)
    made = np.array([[1, 1], [50, 50], [np.nan, 0], [np.inf, -np.inf]], np.float32)
    sheet = drawn(tmp_path, POINTS, made, real).astype(int)
    red = np.argwhere((sheet[..., 0] > 150) & (sheet[..., 1] < 100))
    assert len(red) == 4 and red[:, 0].max() < pictures.SIDE / 2 < red[:, 1].min()
    grey = np.argwhere((sheet == 205).all(2))
    assert len(grey) == 3 * 4 and grey[:, 0].max() > pictures.SIDE / 2


def test_what_has_no_picture() -> None:
    assert pictures.wanted(SampleSpec((1, 64), modality="audio")) == 0
    assert pictures.wanted(SampleSpec((3,), None, "points")) == 0
    assert pictures.wanted(POINTS) > 0 and pictures.wanted(SampleSpec((3, 8, 8))) == 80
