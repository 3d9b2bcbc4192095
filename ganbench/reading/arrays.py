"""Arrays from `.npy`, `.npz` and `.safetensors` files: what is in them, checked before anything is unfolded."""

from __future__ import annotations

import contextlib
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from safetensors import safe_open

from ganbench.errors import UsageError
from ganbench.reading.limits import hold

SUFFIXES = (".npz", ".npy", ".safetensors")
SAMPLES = ("images", "samples", "x", "arr_0")
LABELS = ("labels", "y", "arr_1")
_NUMBERS = "uif"


def read_arrays(file: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Samples `(N, …)`, and labels `(N,)` if the file has any.

    Of several arrays, samples are the one named by `SAMPLES` (or the only one with more than one axis), labels the one
    named by `LABELS` with one axis.
    """
    if not file.is_file():
        raise UsageError(f"{file}: no such file")
    suffix = file.suffix.lower()
    if suffix == ".npy":
        return _numbers(_read_npy(file), file), None
    if suffix == ".npz":
        shapes = _npz_shapes(file)
    elif suffix == ".safetensors":
        shapes = _tensor_shapes(file)
    else:
        raise UsageError(f"{file}: expected a folder of pictures, or a file that ends in {', '.join(SUFFIXES)}")
    read = _read_npz if suffix == ".npz" else _read_tensor
    samples, labels = _chosen(shapes, file)
    return _numbers(read(file, samples), file), None if labels is None else _numbers(read(file, labels), file)


def read_labels(file: Path) -> np.ndarray:
    """Labels int64 `(N,)` from an `.npy` file, or from the only or so-named array of an `.npz` file."""
    if file.suffix.lower() == ".npz" and file.is_file():
        shapes = _npz_shapes(file)
        flat = [name for name, shape in shapes.items() if len(shape) == 1]
        named = [name for name in LABELS if name in flat] or (flat if len(flat) == 1 else [])
        if not named:
            raise UsageError(f"{file}: no array of labels (one axis, named {' or '.join(LABELS[:2])}) in it")
        found = _read_npz(file, named[0])
    elif file.suffix.lower() == ".npy" and file.is_file():
        found = _read_npy(file)
    else:
        raise UsageError(f"{file}: expected an .npy or .npz file with labels")
    return found


def _read_npy(file: Path) -> np.ndarray:
    with _one_line(file):
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{file}: is no array of NumPy, though its name ends in .npy")
    hold(array.nbytes, file)
    return array


def _npz_shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """Name → shape of every array, from the headers alone; one that does not fit into its entry is refused."""
    shapes: dict[str, tuple[int, ...]] = {}
    with _one_line(file), zipfile.ZipFile(file) as archive:
        for name, entry in _members(archive, file).items():
            with archive.open(entry) as stream:
                version = npy.read_magic(stream)
                header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
                shape, _, dtype = header(stream)
            if dtype.hasobject:
                raise UsageError(f"{file}: '{name}' holds Python objects, which are not read; save numbers")
            size = math.prod(shape) * dtype.itemsize
            hold(size, f"{file} ('{name}')")
            if size > entry.file_size:
                raise UsageError(f"{file}: '{name}' claims {size:,} bytes and has {entry.file_size:,}; damaged")
            shapes[name] = shape
    return shapes


def _read_npz(file: Path, name: str) -> np.ndarray:
    with _one_line(file), zipfile.ZipFile(file) as archive, archive.open(_members(archive, file)[name]) as stream:
        return np.asarray(npy.read_array(stream, allow_pickle=False))


def _members(archive: zipfile.ZipFile, file: Path) -> dict[str, zipfile.ZipInfo]:
    """Name of an array → its entry. Two of one name, or anything else than arrays, is refused: programs differ in which
    of them they read."""
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.filename.removesuffix(".npy")
        if name == entry.filename:
            raise UsageError(f"{file}: holds '{_short(name)}', whose name does not end in .npy; save the arrays alone")
        if name in found:
            raise UsageError(f"{file}: holds '{_short(name)}' twice; save it once")
        found[name] = entry
    return found


def _tensor_shapes(file: Path) -> dict[str, tuple[int, ...]]:
    with _one_line(file), safe_open(file, framework="np") as tensors:
        return {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118


def _read_tensor(file: Path, name: str) -> np.ndarray:
    hold(file.stat().st_size, file)
    with _one_line(file), safe_open(file, framework="np") as tensors:  # NumPy has no bfloat16
        return np.asarray(tensors.get_tensor(name))


def _chosen(shapes: dict[str, tuple[int, ...]], file: Path) -> tuple[str, str | None]:
    """The names of samples and labels."""
    wide = [name for name, shape in shapes.items() if len(shape) > 1]
    named = [name for name in SAMPLES if name in wide] or (wide if len(wide) == 1 else [])
    if not named:
        there = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "no array"
        raise UsageError(f"{file}: which array holds the samples? Name it {SAMPLES[0]}; there is {there}")
    count = shapes[named[0]][0]
    labels = [name for name in LABELS if shapes.get(name) == (count,)]
    return named[0], labels[0] if labels else None


def _numbers(array: np.ndarray, file: Path) -> np.ndarray:
    if array.dtype.kind not in _NUMBERS:
        raise UsageError(f"{file}: holds {array.dtype}, expected numbers")
    if not array.ndim or not len(array):
        raise UsageError(f"{file}: holds no samples (shape {array.shape})")
    return array


@contextlib.contextmanager
def _one_line(file: Path) -> Iterator[None]:
    """Whatever reading stumbles over: a damaged file makes parsers and decoders raise anything at all."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        reason = _short(" ".join(str(error).split()) or type(error).__name__)
        raise UsageError(f"{file}: cannot be read ({reason}); save it anew, as plain numbers") from None


def _short(text: str, most: int = 200) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
