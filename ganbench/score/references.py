"""The real side: features of a reference's splits, shipped with the extractor, kept in the cache, or made now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from ganbench import api
from ganbench.errors import Unavailable, UsageError
from ganbench.plan.spec import fingerprint
from ganbench.record.files import content_hash, file_hash, write_atomic
from ganbench.score.extraction import FEATURES, Extraction, Features
from ganbench.score.samples import Samples
from ganbench.storage import cache_dir


@dataclass(frozen=True, eq=False)
class Reference:
    """sha256: of the shipped features, or else of the split's own samples."""

    dataset: str
    split: str
    sha256: str
    size: int
    features: Features

    @property
    def description(self) -> dict[str, Any]:
        """What goes into the fingerprint."""
        return {"dataset": self.dataset, "split": self.split, "sha256": self.sha256, "size": self.size}


@dataclass(eq=False)
class References:
    """One data set's splits, loaded and extracted at most once in a process."""

    dataset: api.Dataset
    _splits: dict[str, tuple[Samples, str]] = field(default_factory=dict)
    _features: dict[tuple[Extraction, str], Reference] = field(default_factory=dict)

    def samples(self, split: str) -> tuple[Samples, str]:
        """A split's samples and their content hash; raises `Unavailable` where the data is not at hand."""
        if split not in self._splits:
            if split not in self.dataset.splits:
                raise UsageError(f"data set '{self.dataset.name}' has no split '{split}' to be scored against")
            x, y = self.dataset.load(split)
            self._splits[split] = Samples(x, y), content_hash(x, None)
        return self._splits[split]

    def features(self, extraction: Extraction, split: str) -> Reference:
        """A split under an extractor."""
        key = extraction, split
        if key not in self._features:
            self._features[key] = self._shipped(extraction, split) or self._made(extraction, split)
        return self._features[key]

    def under(self, extraction: Extraction | None, split: str) -> Reference:
        """A split under an extractor, or as it is without one."""
        if extraction:
            return self.features(extraction, split)
        samples, sha256 = self.samples(split)
        return Reference(self.dataset.name, split, sha256, len(samples), {})

    def ready(self, extraction: Extraction, split: str) -> bool:
        """Whether no extraction is needed any more (asked for the estimate; the data may yet be missing)."""
        return (extraction, split) in self._features or self._shipped_file(extraction, split) is not None

    def unread(self, extraction: Extraction, split: str) -> int:
        """How many samples of a split an extractor has yet to see."""
        if self.ready(extraction, split):
            return 0
        try:
            samples, sha256 = self.samples(split)
        except Unavailable:
            return 0
        return 0 if _cache_file(extraction, sha256).is_file() else len(samples)

    def _shipped_file(self, extraction: Extraction, split: str) -> api.Reference | None:
        if not (extraction.weights.official and extraction.default_layers):
            return None
        matching = (r for r in extraction.record.references if (r.dataset, r.split) == (self.dataset.name, split))
        return next(matching, None)

    def _shipped(self, extraction: Extraction, split: str) -> Reference | None:
        shipped = self._shipped_file(extraction, split)
        if shipped is None:
            return None
        if not shipped.file.is_file() or file_hash(shipped.file) != shipped.sha256:
            raise UsageError(
                f"{shipped.file}: missing or damaged (its sha256 is not the known one); reinstall its package"
            )
        features = _read(shipped.file, extraction)
        if features is None:
            raise UsageError(f"{shipped.file}: lacks {' or '.join(extraction.roles)}; reinstall its package")
        return Reference(self.dataset.name, split, shipped.sha256, len(features[FEATURES]), features)

    def _made(self, extraction: Extraction, split: str) -> Reference:
        samples, sha256 = self.samples(split)
        if reason := extraction.refuses(samples.x, self.dataset.spec):
            raise Unavailable(
                f"extractor '{extraction.plan['name']}' does not take data set '{self.dataset.name}': it {reason}"
            )
        file = _cache_file(extraction, sha256)
        features: Features | None = _read(file, extraction) if file.is_file() else None
        if features is None or len(features[FEATURES]) != len(samples):
            features = extraction(samples.x)
            _keep(file, features)
        return Reference(self.dataset.name, split, sha256, len(samples), features)


def _cache_file(extraction: Extraction, data: str) -> Path:
    key = {
        "data": data,
        "weights": extraction.weights.sha256,
        "layers": extraction.roles,
        "preprocessing": extraction.record.preprocessing,
        "code": extraction.code,
    }
    if (kind := extraction.device.partition(":")[0]) != "cpu":
        key["device"] = kind  # whose features have other last bits
    return cache_dir() / "features" / f"{fingerprint(key, 32)}.safetensors"


def _read(file: Path, extraction: Extraction) -> dict[str, Tensor] | None:
    """The features in a file, as float32; None where it is damaged or lacks some (then they are made again)."""
    try:
        stored = safetensors.torch.load_file(file)
    except (OSError, SafetensorError):
        return None
    if not all(role in stored and stored[role].ndim == 2 for role in extraction.roles):
        return None
    return {role: stored[role].to(torch.float32) for role in extraction.roles}


def _keep(file: Path, features: Mapping[str, Tensor]) -> None:
    data = safetensors.torch.save({role: t.contiguous() for role, t in features.items()})
    try:
        write_atomic(file, lambda stream: stream.write(data))
    except OSError:
        return  # a cache that cannot be written to costs time, not results
