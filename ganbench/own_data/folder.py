"""A folder of pictures, whose sub-folders are classes."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError
from ganbench.own_data.pictures import FORMATS, fitted
from ganbench.own_data.samples import Picture, Samples, gathered
from ganbench.own_data.source import Shaping, Source
from ganbench.reading.pictures import opened

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
MOST_BYTES = 200_000_000
"""Of one file on the disk."""


@dataclass
class Found:
    """files: paths below the folder, sorted. other: suffix → files that are no pictures. links: to folders, which are
    not followed. empty: first-level folders without a picture."""

    files: list[str] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def remarks(self) -> Iterator[str]:
        """Lines for the user."""
        if self.other:
            kinds = ", ".join(f"{n} {suffix or 'without a suffix'}" for suffix, n in sorted(self.other.items()))
            yield f"not read, for they are no {', '.join(FORMATS)}: {kinds}"
        if self.links:
            yield f"links to folders are not followed: {_few(self.links)}"
        if self.empty:
            yield f"no picture in {_few(self.empty)}, so that it is no class"


class Folder:
    """Reads the pictures of a source's folder."""

    def __init__(self, source: Source) -> None:
        self.source, self.root = source, Path(source.place)

    @cached_property
    def found(self) -> Found:
        """The files; hidden ones are passed over."""
        if not self.root.is_dir():
            raise UsageError(f"{self.root}: no such folder (a suite's paths are relative to its file)")
        found, tops = Found(), set()
        for place, inner, names in os.walk(self.root, onerror=_refuse):
            here = Path(place)
            inner[:] = sorted(name for name in inner if not name.startswith(".") and name != "__MACOSX")
            found.links += [str((here / n).relative_to(self.root)) for n in inner if (here / n).is_symlink()]
            if here == self.root:
                tops = {name for name in inner if not (here / name).is_symlink()}
            for name in names:
                if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                    found.files.append((here / name).relative_to(self.root).as_posix())
                elif not name.startswith("."):
                    found.other[Path(name).suffix.lower()] += 1
        found.files.sort()
        found.empty = sorted(tops - {file.partition("/")[0] for file in found.files})
        if not found.files:
            more = "; ".join(found.remarks())
            raise UsageError(f"{self.root}: holds no PNG, JPEG or WebP file{f' ({more})' if more else ''}")
        return found

    def listing(self) -> Mapping[str, Any]:
        """Name, size and times of every file: a file that was changed has another time."""
        files = [[name, *_state(self.root / name)] for name in self.found.files]
        return {"root": str(self.root), "files": files, "remarks": list(self.found.remarks())}

    def read(self) -> Samples:
        """Every picture."""
        files, labelled = self.found.files, self.source.labels
        loose = [file for file in files if "/" not in file]
        if labelled and loose and len(loose) < len(files):
            raise UsageError(
                f"{self.root}: pictures lie in sub-folders and beside them ({loose[0]}); move them, so that each has a "
                "class, or say labels = false"
            )
        return gathered((self._one(file, labelled) for file in files), self.source, self.found.remarks())

    def _one(self, file: str, labelled: bool) -> Picture | str:
        top, below, _ = file.partition("/")
        try:
            what = f"{self.root.name}/{file}"
            pixels, digest = decoded(_content(self.root / file, what), what, self.source.shaping)
        except UsageError as error:
            return str(error)
        return Picture(pixels, digest, top if below and labelled else None)


def decoded(data: bytes, what: str, shaping: Shaping) -> tuple[Any, bytes]:
    """The pixels (as `pictures.fitted` gives them) of an encoded picture, and the sha256 of its bytes."""
    with opened(io.BytesIO(data), what, FORMATS, mend="") as picture:
        try:
            return fitted(picture, shaping), hashlib.sha256(data).digest()
        except UsageError as error:
            raise UsageError(f"{what}: {error}") from None


def _content(file: Path, what: str) -> bytes:
    try:
        facts = file.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise UsageError(f"{what}: is no file")
        if facts.st_size > MOST_BYTES:
            raise UsageError(f"{what}: has {facts.st_size:,} bytes, at most {MOST_BYTES:,} are read")
        return file.read_bytes()
    except OSError as error:
        dead = file.is_symlink() and not file.exists()
        raise UsageError(f"{what}: {'leads nowhere' if dead else f'cannot be read ({error.strerror})'}") from None


def _state(file: Path) -> tuple[int, ...]:
    try:
        facts = file.stat()
    except OSError:
        return ()
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _refuse(error: OSError) -> None:
    raise UsageError(f"{error.filename}: cannot be read ({error.strerror})")
