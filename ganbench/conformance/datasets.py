"""Data sets: arrays in the declared form, the same whenever they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ganbench.conformance.checks import WARNING, Advice, Skip
from ganbench.conformance.subject import Subject

DTYPES: dict[str, Any] = {"image": np.uint8, "video": np.uint8, "audio": np.int16}


def _loaded(subject: Subject, split: str) -> tuple[Any, Any]:
    record = subject.record
    if not record.here():
        raise Skip(f"{record.name} is not on this machine: set GANBENCH_DATA to a folder that has it")
    found = subject.once(split, lambda: record.load(split))
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise TypeError(f'load("{split}") gives a {type(found).__name__} instead of (samples, labels or None)')
    return found[0], found[1]


def samples(subject: Subject) -> Advice | None:
    """Each split gives some samples of the declared shape and type, within the declared range."""
    spec = subject.record.spec
    wanted = np.dtype(DTYPES.get(spec.modality, np.float32))
    for split in subject.record.splits:
        x, _ = _loaded(subject, split)
        if isinstance(x, np.ndarray) and x.shape[:1] == (0,):
            return Advice(f"split {split} is empty", "give it samples, or leave it out of splits")
        if not isinstance(x, np.ndarray) or x.shape[1:] != spec.shape:
            return Advice(
                f"split {split} has shape {getattr(x, 'shape', None)}, not (N, {', '.join(map(str, spec.shape))})",
                "return a NumPy array of spec.shape per sample, or change the spec",
            )
        if x.dtype != wanted:
            return Advice(
                f"split {split} is {x.dtype}; {spec.modality} samples are {wanted}", f"return x.astype(np.{wanted})"
            )
        if wanted == np.float32 and not np.isfinite(x).all():
            return Advice(f"split {split} has values that are not finite", "leave such samples out")
        if wanted == np.float32 and spec.range and (x.min() < spec.range[0] or x.max() > spec.range[1]):
            return Advice(f"split {split} leaves the range {spec.range}", "scale the samples, or declare range=None")
    return None


def labels(subject: Subject) -> Advice | None:
    """Labels, if any: int64 `(N,)`, each below `spec.classes`."""
    for split in subject.record.splits:
        x, y = _loaded(subject, split)
        if y is None:
            if subject.record.spec.classes:
                return Advice(f"split {split} has no labels, and the spec says classes", "return labels, or classes=0")
            continue
        if not isinstance(y, np.ndarray) or y.dtype != np.int64 or y.shape != (len(x),):
            form = f"{y.dtype} {y.shape}" if isinstance(y, np.ndarray) else f"a {type(y).__name__}"
            return Advice(f"labels of split {split} are {form}", f"return int64 of shape ({len(x)},), a NumPy array")
        if not len(y):
            raise Skip(f"split {split} is empty")
        if y.min() < 0 or y.max() >= subject.record.spec.classes:
            return Advice(
                f"labels of split {split} go from {y.min()} to {y.max()}",
                f"number the classes from 0, and declare classes={y.max() + 1}",
            )
    return None


def same_again(subject: Subject) -> Advice | None:
    """Loading twice gives the same arrays."""
    for split in subject.record.splits:
        first, _ = _loaded(subject, split)
        again, _ = subject.record.load(split)
        if not np.array_equal(first, again):
            return Advice(f"split {split} is another one each time", "seed it: np.random.default_rng(0)")
    return None


def splits_differ(subject: Subject) -> Advice | None:
    """No split is another one under a second name."""
    kept = {split: _loaded(subject, split)[0] for split in subject.record.splits}
    for one in kept:
        for other in kept:
            if one < other and np.array_equal(kept[one], kept[other]):
                return Advice(f"splits {one} and {other} are the same samples", "give each split samples of its own")
    return None


def licence(subject: Subject) -> Advice | None:
    """A licence is named."""
    if subject.record.licence:
        return None
    return Advice("no licence is named", 'give licence="CC0-1.0", or what the data is under', WARNING)


CHECKS = (samples, labels, same_again, splits_differ, licence)
