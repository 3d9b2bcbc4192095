"""A hash of everything that a description of the plugins hangs on."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ganbench import probe
from ganbench.record.files import file_hash
from ganbench.sources import Source


def fingerprint(sources: Iterable[Source], complaints: Iterable[tuple[str, str]]) -> str:
    """sha256 over the plugins' files, the doors that lead to them or nowhere, this program, and what is installed."""
    sources = list(sources)
    files = dict.fromkeys(file for source in sources for file in source.files)
    doors = [[s.module, s.label, s.provider, s.distribution, s.asked, s.door] for s in sources]
    contents = [[str(file), content(file)] for file in files]
    around = [*probe.surroundings(), _torch(), sys.path, list(_own_files())]
    told = json.dumps([doors, list(complaints), contents, list(_suites_beside(sources)), around])
    return hashlib.sha256(told.encode()).hexdigest()


def content(file: Path) -> str | None:
    """sha256 of a file, None where it cannot be read."""
    try:
        return file_hash(file)
    except OSError:
        return None


def _suites_beside(sources: Iterable[Source]) -> Iterator[str]:
    """The suite files in the folder of a plugin that is one file: it may look for them there."""
    for folder in dict.fromkeys(s.files[0].parent for s in sources if os.sep in s.word):
        yield from sorted(str(file) for file in folder.glob("*.toml"))


def _own_files() -> Iterator[tuple[str, int, int]]:
    """Name, size and time of each file of this program: in a clone it changes without a new version."""
    for parent, folders, names in os.walk(Path(__file__).parents[1]):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            about = os.stat(os.path.join(parent, name))
            yield os.path.join(parent, name), about.st_size, about.st_mtime_ns


def _torch() -> str | None:
    try:
        return version("torch")
    except PackageNotFoundError:
        return None
