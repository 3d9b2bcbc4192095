"""Samples that another program made, in the form of a data set, put where a run leaves its own. No torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganbench.api import Extractor, SampleSpec
from ganbench.errors import UsageError
from ganbench.plan.seeds import derive
from ganbench.plan.spec import RunSpec
from ganbench.reading.arrays import read_arrays, read_labels
from ganbench.reading.form import to_images, with_channels
from ganbench.reading.pictures import picture_files, read_pictures
from ganbench.record.environment import environment
from ganbench.record.files import content_hash, write_atomic, write_json_atomic

VARIANT = "given"
"""What a record calls these samples; nobody knows of which weights they are."""


@dataclass(frozen=True, eq=False)
class Given:
    """x: `(N, …)` in the data set's declared form. y: labels int64 `(N,)`, or None. total: samples that there were.

    notes: a line for each thing that was concluded or done on the way.
    """

    x: np.ndarray
    y: np.ndarray | None
    total: int
    notes: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Of what is scored."""
        return content_hash(np.ascontiguousarray(self.x), self.y)


def read_given(
    place: Path,
    form: SampleSpec,
    most: int,
    *,
    labels: Path | None = None,
    layout: str | None = None,
    bounds: tuple[float, float] | None = None,
) -> Given:
    """At most `most` samples from a folder of pictures or a file of arrays, drawn and ordered by a fixed seed.

    The order of files says nothing, or gives the classes one after the other, and some metrics look at the first
    samples only. form: of the data set. labels: a file, in the order of the samples. layout, bounds: as in `to_images`.
    """
    if place.is_dir():
        if form.modality != "image":
            raise UsageError(f"{place}: a folder of pictures, but the data set has {form.modality}; give an array file")
        files = picture_files(place)
        order = _order(len(files), most)
        x, y, total, layout = read_pictures([files[at] for at in order]), None, len(files), "NCHW"
    else:
        every, y = read_arrays(place)
        order, total = _order(len(every), most), len(every)
        x = every[order]
    y = _labels(y if labels is None else read_labels(labels), labels or place, total, form)
    x, notes = _formed(x, form, str(place), layout, bounds)
    if y is not None:
        notes = [*notes, f"labels: those of {labels or 'the file'}"]
    return Given(x, None if y is None else y[order], total, tuple(notes))


def refusal(given: Given, form: SampleSpec, extractors: Iterable[Extractor]) -> str | None:
    """Why none of the extractors takes these samples; None if one does."""
    own = form.but(shape=tuple(given.x.shape[1:]))
    reasons = [f"{e.name} {reason}" if (reason := e.accepts.refuses(own)) else None for e in extractors]
    return None if not all(reasons) else "; ".join(str(reason) for reason in reasons)


def write_given(spec: RunSpec, folder: Path, given: Given) -> None:
    """Leave the samples in a run folder as training would, ready to be scored."""
    arrays = {f"{VARIANT}.npy": given.x} | ({} if given.y is None else {f"{VARIANT}.labels.npy": given.y})
    for name, array in arrays.items():
        write_atomic(folder / "samples" / name, lambda f, a=array: np.save(f, a, allow_pickle=False))  # type: ignore[misc]
    variant = {"name": VARIANT, "batch_norm": None, "headline": True}
    write_json_atomic(
        folder / "trained.json",
        {
            "status": "completed",
            "last_step": None,
            "variants": [variant],
            "looks": [],
            "environment": environment(),
        },
    )


def _order(total: int, most: int) -> np.ndarray:
    """Which samples are scored, in which order: int64 `(min(total, most),)`."""
    return np.random.default_rng(derive(0, "foreign samples", total)).permutation(total)[:most]


def _labels(y: np.ndarray | None, where: Path, total: int, form: SampleSpec) -> np.ndarray | None:
    if y is None:
        return None
    if y.shape != (total,) or y.dtype.kind not in "iu":
        raise UsageError(f"{where}: labels {y.dtype} {y.shape}, expected {total:,} whole numbers, one for each sample")
    if form.classes and not 0 <= int(y.min()) <= int(y.max()) < form.classes:
        raise UsageError(f"{where}: labels from {y.min()} to {y.max()}, the data set has 0 … {form.classes - 1}")
    return y.astype(np.int64)


def _formed(
    x: np.ndarray, form: SampleSpec, what: str, layout: str | None, bounds: tuple[float, float] | None
) -> tuple[np.ndarray, Sequence[str]]:
    if form.modality == "image":
        x, notes = to_images(x, what, layout, bounds)
        x, more = with_channels(x, form.shape[0], what)
        notes += more
        if x.shape[1:] != tuple(form.shape):
            sizes = ["×".join(map(str, shape)) for shape in (x.shape[2:], form.shape[1:])]
            notes.append(f"images of {sizes[0]} pixels, the data set's have {sizes[1]}: as the extractor takes them")
        return np.ascontiguousarray(x), notes
    if x.shape[1:] != tuple(form.shape):
        wanted = ", ".join(map(str, form.shape))
        raise UsageError(f"{what}: samples of shape {x.shape}, the data set's are (N, {wanted})")
    if x.dtype.kind == "f":
        if not np.isfinite(x).all():
            raise UsageError(f"{what}: holds values that are not finite")
        x = x.astype(np.float32)
    return np.ascontiguousarray(x), []
