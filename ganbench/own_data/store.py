"""Own data in the cache: a folder for each content, named by a hash of it, and what a source was last read as."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ganbench.api import Dataset, SampleSpec
from ganbench.errors import UsageError
from ganbench.own_data.source import PREFIX
from ganbench.own_data.split import SPLITS
from ganbench.record.files import content_hash, read_json, write_json_atomic
from ganbench.storage import cache_dir, filled

MEND = "run its suite again (ganbench run --suite FILE): it is then read anew"
_NAME = re.compile(re.escape(PREFIX) + r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Content:
    """What own data is, whatever it was read from. splits: sha256 of each (samples and labels)."""

    shape: tuple[int, ...]
    modality: str
    classes: int
    splits: Mapping[str, str]

    @property
    def name(self) -> str:
        """`own:<hash>`."""
        said = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return PREFIX + hashlib.sha256(said.encode()).hexdigest()[:32]

    @property
    def spec(self) -> SampleSpec:
        """The form of a sample."""
        bounds = (-1.0, 1.0) if self.modality == "image" else None
        return SampleSpec(self.shape, bounds, self.modality, self.classes)


def keep(parts: Mapping[str, tuple[np.ndarray, np.ndarray | None]], modality: str) -> Content:
    """Put the splits into the cache, all or nothing. parts: split → samples and labels."""
    x, _ = parts[SPLITS[0]]
    labels = [y for _, y in parts.values() if y is not None]
    classes = 1 + max(int(y.max()) for y in labels) if labels else 0
    content = Content(tuple(x.shape[1:]), modality, classes, {name: content_hash(*parts[name]) for name in SPLITS})
    home = _home(content.name)
    there = home.exists()
    if not _whole(content):
        if there:
            shutil.rmtree(home, ignore_errors=True)
        with filled(home) as folder:
            for name, (samples, y) in parts.items():
                np.save(folder / f"{name}.npy", samples, allow_pickle=False)
                if y is not None:
                    np.save(folder / f"{name}.labels.npy", y, allow_pickle=False)
            write_json_atomic(folder / "about.json", dataclasses.asdict(content))
    return content


def find(name: str) -> Dataset | None:
    """The data set of this name, if it is one of own data; a `UsageError` where it has left the cache."""
    if not _NAME.fullmatch(name):
        return None
    file = _home(name) / "about.json"
    if not file.is_file():
        raise UsageError(f"data set {name} is not in the cache (GANBENCH_CACHE) any more; {MEND}")
    content = _read(file)
    if content is None or content.name != name:
        raise UsageError(f"data set {name} is damaged in the cache; {MEND}")
    return Dataset(name, content.spec, lambda split: load(content, split), splits=SPLITS)


def load(content: Content, split: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Samples and labels of a split, checked against their hash; samples stay on the disk, mapped into memory."""
    if split not in SPLITS:
        raise UsageError(f"{content.name} has no split {split!r}; there are: {', '.join(SPLITS)}")
    home = _home(content.name)
    try:
        x = np.load(home / f"{split}.npy", mmap_mode="c", allow_pickle=False)  # "c": what is written to them is lost
        y = np.load(home / f"{split}.labels.npy", allow_pickle=False) if content.classes else None
        same = content_hash(x, y) == content.splits[split]
    except (OSError, EOFError, ValueError, KeyError):
        same = False
    if not same:
        raise UsageError(f"data set {content.name} is damaged in the cache; {MEND}")
    return x, y


def remember(key: str, content: Content, facts: Mapping[str, Any]) -> None:
    """Note what a source (by a key of all that decides it) was read as."""
    write_json_atomic(_known(key), {"content": dataclasses.asdict(content), "facts": facts})


def recall(key: str) -> tuple[Content, Mapping[str, Any]] | None:
    """What `remember` noted, if the data is still there and whole."""
    if not _known(key).is_file():
        return None
    try:
        noted = read_json(_known(key))
        content = _content(noted["content"])
        return (content, dict(noted["facts"])) if _whole(content) else None
    except (UsageError, KeyError, TypeError, ValueError):
        return None


def _whole(content: Content) -> bool:
    try:
        for split in SPLITS:
            load(content, split)
    except UsageError:
        return False
    return _read(_home(content.name) / "about.json") == content


def _read(file: Path) -> Content | None:
    try:
        return _content(read_json(file))
    except (UsageError, KeyError, TypeError, ValueError):
        return None


def _content(said: Mapping[str, Any]) -> Content:
    shape = tuple(int(n) for n in said["shape"])
    splits = {name: str(said["splits"][name]) for name in SPLITS}
    return Content(shape, str(said["modality"]), int(said["classes"]), splits)


def _home(name: str) -> Path:
    return cache_dir() / "own-data" / name.removeprefix(PREFIX)


def _known(key: str) -> Path:
    return cache_dir() / "own-data" / "read" / f"{key}.json"
