"""What reading gives, whatever it was read from, and the form it is brought into."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ganbench.errors import UsageError
from ganbench.own_data.source import Source
from ganbench.reading.limits import hold
from ganbench.reading.pictures import natural


@dataclass(frozen=True, eq=False)
class Samples:
    """x: uint8 images `(N, C, H, W)` or float32 points `(N, n)`. y: labels int64 `(N,)` from 0, or None.

    digests: sha256 of each sample as it was found, which decides its split. bad: what was left out, one line each.
    remarks: lines on what else was noticed.
    """

    x: np.ndarray
    y: np.ndarray | None
    digests: list[bytes]
    bad: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


class Reader(Protocol):
    """One kind of source."""

    def listing(self) -> Mapping[str, Any]:
        """What is there, as plain values, without reading it: equal listings mean equal samples. Empty: not known."""

    def read(self) -> Samples:
        """Everything that is there."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One decoded picture. pixels: as `pictures.fitted` gives them. group: its class, or None."""

    pixels: np.ndarray
    digest: bytes
    group: str | None = None


def gathered(
    pictures: Iterable[Picture | str], source: Source, remarks: Iterable[str] = (), names: Iterable[str] | None = None
) -> Samples:
    """Pictures of one size as samples; a str among them says why a file cannot be used.

    names: of all classes in order; else those that occur, `2` before `10`.
    """
    bad: list[str] = []
    found: list[Picture] = []
    for picture in pictures:
        if isinstance(picture, str):
            bad.append(picture)
        else:
            found.append(picture)
            hold(3 * math.prod(picture.pixels.shape[:2]) * len(found), source.place)
    if bad and not source.skip_bad:
        more = f" ({len(bad)} of {len(bad) + len(found):,} files cannot be used)" if len(bad) > 1 else ""
        raise UsageError(f"{bad[0]}{more}; mend or remove it, or say skip_bad = true to leave such files out")
    if not found:
        raise UsageError(f"{source.place}: none of the {len(bad)} pictures can be used; the first: {bad[0]}")
    first = found[0].pixels.shape[:2]
    for picture in found:
        if picture.pixels.shape[:2] != first:
            (h, w), (a, b) = picture.pixels.shape[:2], first
            raise UsageError(
                f"{source.place}: pictures of {b}×{a} and of {w}×{h} pixels; say size = {min(*first, h, w)}"
            )
    channels = source.shaping.channels or (3 if any(p.pixels.ndim == 3 for p in found) else 1)
    x = np.empty((len(found), channels, *first), np.uint8)
    for at, picture in enumerate(found):
        x[at] = picture.pixels.transpose(2, 0, 1) if picture.pixels.ndim == 3 else picture.pixels
    y, told = classes([picture.group for picture in found], names)
    return Samples(x, y, [picture.digest for picture in found], tuple(bad), (*remarks, *told))


def classes(groups: list[str | None], names: Iterable[str] | None = None) -> tuple[np.ndarray | None, list[str]]:
    """Labels, numbered from 0 in the order of the names that occur, and remarks; None where there is but one class."""
    here = {group for group in groups if group is not None}
    wanted = [name for name in names if name in here] if names is not None else sorted(here, key=natural)
    if len(wanted) == 1:
        return None, [f"one class only ('{wanted[0]}'), so that there are no labels"]
    if not wanted:
        return None, []
    number = {name: at for at, name in enumerate(wanted)}
    return np.array([number[str(group)] for group in groups], np.int64), []
