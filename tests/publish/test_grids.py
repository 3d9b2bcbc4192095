"""Grids of samples that are published: pixels alone, small, and none where the picture is broken."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_records import record, write
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganbench.publish import publish

GREY, PALETTE = bytes([8, 0, 0, 0, 0]), bytes([8, 3, 0, 0, 0])
ROWS = zlib.compress(bytes(72))
Chunk = tuple[bytes, bytes]


def png(kind: bytes, *chunks: Chunk) -> bytes:
    """8×8 pixels."""
    every = [(b"IHDR", struct.pack(">II", 8, 8) + kind), *chunks, (b"IEND", b"")]
    made = [struct.pack(">I", len(x)) + name + x + struct.pack(">I", zlib.crc32(name + x)) for name, x in every]
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


def names(data: bytes) -> Iterator[bytes]:
    """Of the chunks of a PNG."""
    at = 8
    while at < len(data):
        yield data[at + 4 : at + 8]
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def published(tmp_path: Path, content: bytes) -> list[bytes]:
    """The grids of a run with this picture."""
    runs = write(tmp_path / "runs", [record("a")])
    next(runs.rglob("samples.png")).write_bytes(content)
    publish([runs], tmp_path / "results")
    assert "| a |" in (tmp_path / "results" / "toys-full" / "LEADERBOARD.md").read_text()
    return [file.read_bytes() for file in (tmp_path / "results").rglob("samples.png")]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG nothing",
        png(GREY, (b"IDAT", ROWS[:6])),
        png(GREY, (b"IDAT", ROWS), (b"iCCP", b"")),
        png(PALETTE, (b"tRNS", b"\xff\0"), (b"IDAT", ROWS)),
        png(PALETTE, (b"IDAT", ROWS)),
        png(GREY, (b"IDAT", ROWS), (b"tRNS", b"")),
        png(GREY, (b"pHYs", b"\0"), (b"IDAT", ROWS)),
    ],
    ids=[
        "no picture",
        "rows cut off",
        "a profile cut off",
        "transparency without a palette",
        "no palette",
        "no transparency",
        "no resolution",
    ],
)
def test_a_broken_picture_costs_nothing_but_itself(tmp_path: Path, content: bytes) -> None:
    assert all(set(names(grid)) == {b"IHDR", b"IDAT", b"IEND"} for grid in published(tmp_path, content))


def test_what_is_no_picture_is_left_out(tmp_path: Path) -> None:
    assert published(tmp_path, png(GREY, (b"IDAT", ROWS), (b"iCCP", b""))) == []


def test_a_grid_is_pixels_and_nothing_else(tmp_path: Path) -> None:
    hidden = PngInfo()
    hidden.add_text("where", "somebody")
    file = tmp_path / "0.png"
    Image.new("L", (8, 8), 7).save(file, pnginfo=hidden, icc_profile=b"somebody", transparency=3, dpi=(72, 72))
    (grid,) = published(tmp_path, file.read_bytes())
    assert set(names(grid)) == {b"IHDR", b"IDAT", b"IEND"}
