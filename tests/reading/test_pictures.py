"""Folders of pictures: every kind that can be read without loss, and one clear line for each that cannot."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.errors import UsageError
from ganbench.reading.pictures import picture_files, read_pictures

GREY = np.random.default_rng(0).integers(0, 256, (3, 6, 5), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (3, 6, 5, 3), np.uint8)


def saved(folder: Path, images: np.ndarray, mode: str | None = None) -> list[Path]:
    for at, image in enumerate(images):
        picture = Image.fromarray(image)
        (picture.convert(mode) if mode else picture).save(folder / f"{at + 8}.png")
    return picture_files(folder)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(file: Path, side: int) -> None:
    """A PNG of a few kilobytes that says it is `side` pixels wide and high."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b""))


def test_grey_colour_and_opaque_alpha_keep_their_bytes(tmp_path: Path) -> None:
    for name, images, mode in (("l", GREY, None), ("rgb", COLOUR, None), ("rgba", COLOUR, "RGBA"), ("la", GREY, "LA")):
        (tmp_path / name).mkdir()
        files = saved(tmp_path / name, images, mode)
        assert [file.name for file in files] == ["8.png", "9.png", "10.png"]
        expected = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
        assert (read_pictures(files) == expected).all()


def test_sub_folders_are_read_and_hidden_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / ".thumbs").mkdir()
    saved(tmp_path / "a", GREY)
    Image.fromarray(GREY[0]).save(tmp_path / ".thumbs" / "0.png")
    Image.fromarray(GREY[0]).save(tmp_path / "._0.png")
    Image.fromarray(GREY[0]).save(tmp_path / "b.JPG", "JPEG")
    (tmp_path / "notes.txt").touch()
    assert [str(f.relative_to(tmp_path)) for f in picture_files(tmp_path)] == [
        "a/8.png",
        "a/9.png",
        "a/10.png",
        "b.JPG",
    ]


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"empty: holds no PNG or JPEG file"):
        (tmp_path / "empty").mkdir()
        picture_files(tmp_path / "empty")
    with pytest.raises(UsageError, match="no such folder"):
        picture_files(tmp_path / "nowhere")
    good, bad = tmp_path / "0.png", tmp_path / "1.png"
    Image.fromarray(GREY[0]).save(good)
    size = good.stat().st_size
    cases = {
        "cannot be read as PNG or JPEG": lambda: bad.write_bytes(good.read_bytes()[: size // 2]),
        "cannot be read as PNG or JPEG ": lambda: bad.write_bytes(b"GIF89a"),
        "more pixels than any picture": lambda: bomb(bad, 40_000),
        "5000×5000 pixels, at most 4096": lambda: bomb(bad, 5_000),
        "transparent in places": lambda: Image.new("RGBA", (5, 6)).save(bad),
        "more than 8 bits": lambda: Image.fromarray(GREY[0].astype(np.uint16) * 257).save(bad),
        "is 6×6 grey, but 0.png is 5×6 grey": lambda: Image.new("L", (6, 6)).save(bad),
        "is 5×6 RGB, but 0.png is 5×6 grey": lambda: Image.new("RGB", (5, 6)).save(bad),
        "neither grey nor RGB": lambda: Image.new("CMYK", (5, 6)).save(bad, "JPEG"),
    }
    for says, spoil in cases.items():
        spoil()
        with pytest.raises(UsageError) as refused:
            read_pictures([good, bad])
        assert says in str(refused.value) and str(refused.value).startswith(str(bad))
        assert "\n" not in str(refused.value)


def test_a_folder_that_no_memory_holds(tmp_path: Path) -> None:
    file = tmp_path / "0.png"
    Image.new("RGB", (4096, 4096)).save(file, compress_level=1)
    with pytest.raises(UsageError, match=r"200 pictures\): unfolds to 9\.4 GiB"):
        read_pictures([file] * 200)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe that nobody writes to, and a link that leads nowhere; a link to a picture is one."""
    Image.fromarray(GREY[0]).save(tmp_path / "0.png")
    os.mkfifo(tmp_path / "1.png")
    (tmp_path / "2.png").symlink_to("nowhere.png")
    (tmp_path / "3.png").symlink_to("0.png")
    first, pipe, dead, link = picture_files(tmp_path)
    assert read_pictures([first, link]).shape == (2, 1, 6, 5)
    for file, says in ((pipe, "is no regular file"), (dead, "leads nowhere")):
        with pytest.raises(UsageError, match=f"{file}: {says}"):
            read_pictures([first, file])
