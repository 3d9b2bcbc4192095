"""Samples of other programs, damaged: arrays, archives whose checksums are right all the same, and pictures."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from cases import each, some
from mutations import damaged
from PIL import Image
from watched import held

from ganbench.publish.grids import GRID_BYTES, small_grid
from ganbench.reading.arrays import read_arrays, read_labels
from ganbench.reading.pictures import read_pictures

X = np.arange(20 * 36, dtype=np.uint8).reshape(20, 1, 6, 6)
HEADS = (
    *("('''", "{'descr': '|u1', 'shape': ('''", "{'a':\n  1\n 2", "(" * 5000, "1" * 5000, "{'descr': {'a': 1}}", "[]"),
    *("'shape': (True, 3)", "'shape': (-4, 3)", "'shape': (1" + "0" * 4000 + ", 3)", "'shape': (2**40,)"),
    *(
        "'descr': ('u1', (1, 2, 'x'))",
        "'descr': [1, 2]",
        "'descr': '|O'",
        "'descr': '<U99999999'",
        "'descr': 'bfloat16'",
    ),
)
"""Headers of an array, or the parts of one that are other than they should be."""


def array(words: str | None = None) -> bytes:
    """An `.npy` file; words: its header, or a part of it."""
    if words is None:
        np.save(stream := io.BytesIO(), X)
        return stream.getvalue()
    part = words.partition(":")[0]
    fields = {"'descr'": "'descr': '|u1'", "'fortran_order'": "'fortran_order': False", "'shape'": "'shape': (20, 36)"}
    head = "{" + ", ".join((fields | {part: words}).values()) + "}" if part in fields else words
    return b"\x93NUMPY\x01\x00" + (len(head) + 1).to_bytes(2, "little") + head.encode() + b"\n" + X.tobytes()


def member(draw: random.Random) -> bytes:
    return draw.choice((array(), array(draw.choice(HEADS)), damaged(array(), draw)))


def archive(file: Path, draw: random.Random) -> None:
    """Whole as a zip file, whatever its members are."""
    how = draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(file, "w", how) as made:
        for name in ("images.npy", *draw.choices(("images", "images.npy", "labels.npy", "x.npy", "a/"), k=2)):
            if draw.random() < 0.6:
                made.writestr(name, member(draw))


def picture(file: Path, draw: random.Random) -> None:
    mode = draw.choice(("L", "RGB", "P", "LA", "RGBA", "1", "I;16"))
    Image.fromarray(X[0, 0]).convert("L").convert(mode).save(file, "PNG", icc_profile=b"x" * 50)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@some(200, 5000)
def test_samples(numbers: range, tmp_path: Path) -> None:
    def case(draw: random.Random, folder: Path) -> None:
        kind = draw.choice((".npy", ".npz", ".zip.npz", ".safetensors", ".png"))
        file = folder / f"x{kind}"
        doors: tuple[Callable[[], object], ...] = (lambda: read_arrays(file), lambda: read_labels(file))
        if kind == ".npy":
            file.write_bytes(member(draw))
        elif kind == ".npz":
            np.savez_compressed(file, images=X)
        elif kind == ".zip.npz":
            archive(file, draw)
        elif kind == ".safetensors":
            safetensors.numpy.save_file({"images": X}, file)
        else:
            picture(file, draw)
            doors = (lambda: read_pictures([file]), lambda: _small(file))
        if kind != ".zip.npz" or draw.random() < 0.3:
            file.write_bytes(damaged(file.read_bytes(), draw))
        for door in doors:
            held(door, file)

    each(numbers, "samples", tmp_path, case)


def _small(file: Path) -> None:
    grid = small_grid(file)
    assert grid is None or len(grid) <= GRID_BYTES
