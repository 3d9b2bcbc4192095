"""An array of images or points in a NumPy file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganbench.errors import UsageError
from ganbench.own_data.pictures import fitted
from ganbench.own_data.samples import Picture, Samples, classes, gathered
from ganbench.own_data.source import Shaping, Source
from ganbench.reading.arrays import read_arrays
from ganbench.reading.form import to_images


class Array:
    """Reads a source's file."""

    def __init__(self, source: Source) -> None:
        self.source, self.file = source, Path(source.place)

    def listing(self) -> Mapping[str, Any]:
        """Size and times of the file."""
        if not self.file.is_file():
            raise UsageError(f"{self.file}: no such file (a suite's paths are relative to its file)")
        facts = self.file.stat()
        return {"file": str(self.file), "state": [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns]}

    def read(self) -> Samples:
        """Images, or points, and their labels."""
        x, given = read_arrays(self.file)
        groups = self._groups(given, len(x))
        if x.ndim == 2 and x.dtype.kind == "f":
            return self._points(x, groups)
        if x.ndim not in (3, 4) or x.dtype != np.uint8:
            raise UsageError(
                f"{self.file}: {x.dtype} of shape {x.shape}; expected uint8 images (N, H, W), (N, H, W, C) or "
                "(N, C, H, W) from 0 to 255, or float points (N, n)"
            )
        images, _ = to_images(x, str(self.file), self.source.layout)
        shaping, names = self.source.shaping, _names(groups)
        if shaping.size is None and shaping.channels in (None, images.shape[1]):
            y, remarks = classes(groups, names)
            return Samples(images, y, [_digest(image) for image in images], (), tuple(remarks))
        return gathered(
            (self._picture(image, group) for image, group in zip(images, groups, strict=True)),
            self.source,
            names=names,
        )

    def _points(self, x: np.ndarray, groups: list[str | None]) -> Samples:
        if self.source.shaping != Shaping():
            raise UsageError(f"{self.file}: holds points {x.shape}, which have no size, crop, resize or channels")
        with np.errstate(over="ignore"):
            x = np.ascontiguousarray(x, np.float32)
        if not np.isfinite(x).all():
            raise UsageError(f"{self.file}: holds values that are not finite (as float32)")
        y, remarks = classes(groups, _names(groups))
        return Samples(x, y, [_digest(row) for row in x], (), tuple(remarks))

    def _picture(self, image: np.ndarray, group: str | None) -> Picture | str:
        pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
        try:
            return Picture(fitted(Image.fromarray(pixels), self.source.shaping), _digest(image), group)
        except UsageError as error:
            return f"{self.file}: an image {error}"

    def _groups(self, given: np.ndarray | None, count: int) -> list[str | None]:
        if given is None or not self.source.labels:
            return [None] * count
        if given.dtype.kind not in "iu":
            raise UsageError(f"{self.file}: labels must be whole numbers, not {given.dtype}; or say labels = false")
        return [str(label) for label in given.tolist()]


def _names(groups: list[str | None]) -> list[str]:
    """The classes in the order of their numbers."""
    return [str(number) for number in sorted({int(group) for group in groups if group is not None})]


def _digest(sample: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(sample).tobytes()).digest()
