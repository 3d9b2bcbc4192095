"""What a suite says of data of its own."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FURTHER = ("config", "part", "revision", "image", "label")
"""What a source of the library `datasets` may say besides: the data set's configuration, which of its splits (`train`),
its version, and the columns with pictures and classes (else the first of such a type)."""
PREFIX = "own:"
"""Of the names of own data; a hash of the content follows."""

KINDS = ("images", "npz", "huggingface")
CROPS = ("centre", "none")
FILTERS = ("bicubic", "bilinear", "lanczos", "box", "nearest")
BACKGROUNDS = ("white", "black")


@dataclass(frozen=True)
class Shaping:
    """How a picture gets the shape of a sample.

    size: height and width in pixels; None keeps what there is. crop: to a square, where there is a size; `"centre"`
    takes the largest one in the middle, `"none"` refuses what is not square. resize: the filter. channels: 1, 3, or
    None: 1 where every picture is grey. background: what shows through transparent pixels.
    """

    size: int | None = None
    crop: str = CROPS[0]
    resize: str = FILTERS[0]
    channels: int | None = None
    background: str = BACKGROUNDS[0]


@dataclass(frozen=True)
class Split:
    """Shares of the validation and test split in [0, 1], and a seed that draws them anew."""

    val: float = 0.1
    test: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Source:
    """Data of a suite's own.

    kind: one of `KINDS`. place: a folder or file, absolute; for `"huggingface"` also a name. shaping: of images.
    labels: whether classes are read. skip_bad: whether files that cannot be used are left out, or end everything.
    layout: of an array, where its shape does not tell. further: values of `FURTHER`, by key.
    """

    kind: str
    place: str
    shaping: Shaping = Shaping()
    split: Split = Split()
    labels: bool = True
    skip_bad: bool = False
    layout: str | None = None
    further: tuple[tuple[str, str], ...] = ()

    def asked(self) -> dict[str, Any]:
        """What stands in a record: everything but a place on this machine, as plain values."""
        shaping = {} if self.shaping == Shaping() and self.kind == "npz" else dataclasses.asdict(self.shaping)
        name = {"name": self.place} if self.kind == "huggingface" and not Path(self.place).is_absolute() else {}
        split = dataclasses.asdict(self.split)
        return {"source": self.kind, **name, **dict(self.further), **shaping, "split": split, "labels": self.labels}
