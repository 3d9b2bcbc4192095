"""`.npy`, `.npz` and `.safetensors`: which array is meant, and what is refused before it is unfolded."""

from __future__ import annotations

import io
import pickle
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from ganbench.errors import UsageError
from ganbench.reading.arrays import read_arrays, read_labels

X = np.random.default_rng(0).integers(0, 256, (4, 1, 3, 3), np.uint8)
Y = np.array([0, 1, 1, 3])


def test_every_format_gives_the_same(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    np.savez_compressed(tmp_path / "only.npz", anything=X)
    np.savez(tmp_path / "both.npz", X, Y)
    safetensors.numpy.save_file({"images": X, "labels": Y, "other": X}, tmp_path / "x.safetensors")
    for name, labelled in (("x.npy", False), ("only.npz", False), ("both.npz", True), ("x.safetensors", True)):
        x, y = read_arrays(tmp_path / name)
        assert (x == X).all() and x.dtype == np.uint8, name
        assert (y is not None and (y == Y).all()) if labelled else y is None, name


def test_labels_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", Y)
    np.savez(tmp_path / "y.npz", x=X, y=Y)
    assert (read_labels(tmp_path / "y.npy") == Y).all() and (read_labels(tmp_path / "y.npz") == Y).all()
    np.savez(tmp_path / "none.npz", x=X)
    for name, says in (("none.npz", "no array of labels"), ("nowhere.npy", "expected an .npy or .npz file")):
        with pytest.raises(UsageError, match=says):
            read_labels(tmp_path / name)


def header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": dtype, "fortran_order": False, "shape": shape})
    return stream.getvalue()


def packed(file: Path, content: bytes) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", content)
    return file


class Hostile:
    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (print, ("unpickled!",))


def test_what_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def named(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    objects = np.array([Hostile()], object)
    np.savez(tmp_path / "objects.npz", x=objects)
    np.save(tmp_path / "objects.npy", objects)
    np.savez(tmp_path / "several.npz", first=X, second=X)
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "none.npy", X[:0])
    safetensors.numpy.save_file({"x": X}, tmp_path / "cut.safetensors")
    named("cut.safetensors", (tmp_path / "cut.safetensors").read_bytes()[:-5])
    bomb = packed(tmp_path / "bomb.npz", header((2**34,)) + bytes(2**20))
    assert bomb.stat().st_size < 10_000
    cases = {
        tmp_path / "objects.npz": "holds Python objects",
        tmp_path / "objects.npy": "cannot be read",
        named("pickle.npy", pickle.dumps(Hostile())): "cannot be read",
        named("pickle.npz", pickle.dumps(Hostile())): "cannot be read",
        named("empty.npz", b""): "cannot be read",
        tmp_path / "several.npz": "which array holds the samples? Name it images; there is first (4, 1, 3, 3)",
        tmp_path / "words.npy": "holds <U1, expected numbers",
        tmp_path / "none.npy": "holds no samples",
        tmp_path / "cut.safetensors": "cannot be read",
        bomb: "unfolds to 16.0 GiB",
        packed(tmp_path / "claims.npz", header((2**20, 2)) + bytes(100)): "claims 2,097,152 bytes",
        packed(tmp_path / "huge.npy", b"x"): "is no array of NumPy|cannot be read",
        named("x.pt", b"x"): "expected a folder of pictures, or a file that ends in .npz",
        tmp_path / "nowhere.npz": "no such file",
    }
    for file, says in cases.items():
        with pytest.raises(UsageError) as refused:
            read_arrays(file)
        said = str(refused.value)
        assert any(word in said for word in says.split("|")) and said.startswith(str(file)) and "\n" not in said
    assert "unpickled" not in capfd.readouterr().out


def entries(file: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a name that is there twice
        for name, content in members:
            archive.writestr(name, content)
    return file


def saved(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_an_archive_has_one_meaning(tmp_path: Path) -> None:
    """What was checked is what is read: no second entry that a reader could take in its place."""
    file, honest = tmp_path / "x.npz", ("images.npy", saved(X))
    for other, says in (
        (("images", saved(X[:2])), "holds 'images', whose name does not end in .npy"),
        (("images", header((20_000_000, 1024, 1024))), "holds 'images', whose name does not end in .npy"),
        (("notes.txt", b""), "holds 'notes.txt', whose name does not end in .npy"),
        (("images.npy", saved(X[:2])), "holds 'images' twice"),
    ):
        for members in ((honest, other), (other, honest)):
            for read in (read_arrays, read_labels):
                with pytest.raises(UsageError, match=says):
                    read(entries(file, *members))
    assert (read_arrays(entries(file, honest))[0] == X).all()


def test_damage_of_every_kind_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "x.npz"
    np.savez_compressed(file, images=X.repeat(50, 0))
    raw = bytearray(file.read_bytes())
    start = 30 + len("images.npy") + int.from_bytes(raw[28:30], "little")
    raw[start : start + 4] = b"\xff" * 4
    file.write_bytes(raw)
    refused(file)
    for words in (
        b"{'descr': '|u1', 'shape': ('''\n",
        b"{'descr':\n  1\n 2",
        b"{\x00}",
        b"(" * 5000,
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (True,3,3), }\n",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (-4,3,3), }\n",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (1" + b"0" * 4000 + b",3), }\n",
        b"{'descr': ('u1',(1,2,'x')), 'fortran_order': False, 'shape': (3,3), }\n",
        b"{'descr': {'a':1}, 'fortran_order': False, 'shape': (3,3), }\n",
    ):
        content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(words)) + words + bytes(100)
        refused(entries(file, ("images.npy", content)))
        (tmp_path / "x.npy").write_bytes(content)
        refused(tmp_path / "x.npy")


def refused(file: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read") as error:
        read_arrays(file)
    assert str(error.value).startswith(f"{file}: ") and "\n" not in str(error.value) and len(str(error.value)) < 500
