"""Folders of PNG and JPEG files: which there are, and what they show."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError

from ganbench.errors import UsageError
from ganbench.reading.limits import LONGEST_SIDE, hold

SUFFIXES = (".png", ".jpg", ".jpeg")
_GREY, _COLOUR = ("1", "L", "LA"), ("RGB", "RGBA", "P")
_DEEP = ("I", "F")


def picture_files(folder: Path) -> list[Path]:
    """Every PNG and JPEG under a folder, ordered by path (`2.png` before `10.png`); hidden ones are passed over."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    found: list[Path] = []
    for place, inner, names in os.walk(folder, onerror=_refuse):
        inner[:] = [name for name in inner if not name.startswith(".")]
        here = Path(place)
        found += [here / n for n in names if n.lower().endswith(SUFFIXES) and not n.startswith(".")]
    if not found:
        raise UsageError(f"{folder}: holds no PNG or JPEG file; give a folder of pictures, or an .npz, .npy file")
    return sorted(found, key=lambda file: [natural(part) for part in file.relative_to(folder).parts])


def read_pictures(files: Sequence[Path]) -> np.ndarray:
    """uint8 `(N, C, H, W)` with C = 1 (grey) or 3: pictures of one size and one kind, at 8 bits."""
    first = _pixels(files[0])
    hold(first.size * len(files), f"{files[0].parent} ({len(files):,} pictures)")
    made = np.empty((len(files), *first.shape), np.uint8)
    for at, file in enumerate(files):
        pixels = first if at == 0 else _pixels(file)
        if pixels.shape != first.shape:
            raise UsageError(f"{file}: is {_said(pixels)}, but {files[0].name} is {_said(first)}; give one kind only")
        made[at] = pixels
    return made.transpose(0, 3, 1, 2)


def _pixels(file: Path) -> np.ndarray:
    """uint8 `(H, W, C)` of one file."""
    if not file.is_file():
        raise UsageError(f"{file}: {'is no regular file' if file.exists() else 'leads nowhere'}; remove or replace it")
    with opened(file, file, ("PNG", "JPEG")) as picture:
        if max(picture.size) > LONGEST_SIDE:
            raise UsageError(f"{file}: {_size(picture)} pixels, at most {LONGEST_SIDE} a side are read")
        return _eight_bits(picture, file)


@contextlib.contextmanager
def opened(
    source: Path | IO[bytes], what: Path | str, formats: Sequence[str], mend: str = "; remove or replace it"
) -> Iterator[Image.Image]:
    """A picture of which the header has been read; whatever Pillow stumbles over inside the block is one line that
    names `what` and ends with `mend`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=tuple(formats)) as picture:
                yield picture
    except UsageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UsageError(f"{what}: asks for more pixels than any picture has{mend}") from None
    except Exception as error:  # Pillow's decoders raise whatever a foreign file leads them to
        said = "not in one of these formats" if isinstance(error, UnidentifiedImageError) else str(error)
        reason = " ".join(said.split()) or type(error).__name__
        kinds = " or ".join(filter(None, (", ".join(formats[:-1]), formats[-1])))
        raise UsageError(f"{what}: cannot be read as {kinds} ({reason}){mend}") from None


def _eight_bits(opened: Image.Image, file: Path) -> np.ndarray:
    mode = opened.mode
    if mode.startswith(_DEEP):
        raise UsageError(f"{file}: has more than 8 bits a pixel (mode {mode}); save it with 8")
    if mode not in _GREY + _COLOUR:
        raise UsageError(f"{file}: is neither grey nor RGB (mode {mode}); convert it")
    if mode in ("LA", "RGBA") or "transparency" in opened.info:
        alpha = opened.convert("RGBA").getchannel("A")
        if alpha.getextrema()[0] != 255:
            raise UsageError(f"{file}: is transparent in places; save it without an alpha channel")
    pixels = np.asarray(opened.convert("L" if mode in _GREY else "RGB"))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def natural(text: str) -> list[tuple[int, int, str]]:
    """A key that puts numbers within names in their order."""
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part) for part in _parts(text)]


def _parts(text: str) -> Iterator[str]:
    part = ""
    for ch in text:
        if part and ch.isdecimal() != part[-1].isdecimal():
            yield part
            part = ""
        part += ch
    if part:
        yield part


def _size(opened: Image.Image) -> str:
    return f"{opened.width}×{opened.height}"


def _said(pixels: np.ndarray) -> str:
    height, width, channels = pixels.shape
    return f"{width}×{height} {'grey' if channels == 1 else 'RGB'}"


def _refuse(error: OSError) -> None:
    raise UsageError(f"{error.filename}: cannot be read ({error.strerror})")
