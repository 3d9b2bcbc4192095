"""Samples and labels from a folder, held to the declared form before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganbench.api import SampleSpec
from ganbench.errors import UsageError, short
from ganbench.record.schema import is_file_name

MEND = "train again (delete the run's folder), or put the samples there"


@dataclass(frozen=True, eq=False)
class Samples:
    """x: `(N, …)` in the declared form (images: uint8). y: labels int64 `(N,)`, or None."""

    x: np.ndarray
    y: np.ndarray | None

    def __len__(self) -> int:
        return len(self.x)


def samples_file(folder: Path, name: str) -> Path:
    """Where the samples of a variant lie."""
    if not is_file_name(name) or len(name) > 100:
        raise UsageError(f"{folder / 'trained.json'}: {short(name)} is no name for a file of samples")
    return folder / "samples" / f"{name}.npy"


def read_samples(folder: Path, name: str, form: SampleSpec, most: int) -> Samples:
    """The first `most` samples of a variant, and their labels if there are any; the file may hold fewer.

    form: what the reference's samples are; the sizes may differ (an extractor says what it takes), the kind may not.
    """
    file = samples_file(folder, name)
    x = _read(file)
    if x.ndim != len(form.shape) + 1:
        raise UsageError(f"{file}: samples of shape {x.shape}, expected (N, {', '.join(map(str, form.shape))}); {MEND}")
    if form.modality == "image" and x.dtype != np.uint8:
        raise UsageError(f"{file}: images must be uint8 in 0 … 255, not {x.dtype}; {MEND}")
    if x.dtype.kind not in "iuf" or not x.dtype.isnative or not len(x):
        raise UsageError(f"{file}: {len(x)} samples of type {x.dtype}, expected some numbers; {MEND}")
    labels = file.with_name(f"{name}.labels.npy")
    y = _read(labels) if labels.is_file() else None
    if y is not None and (y.shape != (len(x),) or y.dtype.kind not in "iu"):
        raise UsageError(f"{labels}: labels {y.dtype} {y.shape}, expected int64 ({len(x)},); {MEND}")
    return Samples(x[:most], None if y is None else np.asarray(y[:most], np.int64))


def quantisation(form: SampleSpec) -> str:
    """How generated values became the declared form, in one expression, for the fingerprint."""
    if form.modality != "image" or form.range is None:
        return "none"
    low, high = form.range
    scale = 255 / (high - low)
    return f"uint8 clamp(round({scale:g}x{-low * scale:+g}), 0, 255)"


def _read(file: Path) -> np.ndarray:
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror or error}); {MEND}") from None
    except Exception as error:  # a damaged header makes Python's own parser raise whatever it likes
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"{file}: no array of NumPy ({reason}); {MEND}") from None
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{file}: several arrays in one file, expected one; {MEND}")
    return array
