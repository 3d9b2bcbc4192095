"""What stands behind a suite's key `dataset`: names, or data of its own, declared in place."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.errors import UsageError, nearest, short
from ganbench.own_data.source import BACKGROUNDS, CROPS, FILTERS, FURTHER, KINDS, Shaping, Source, Split
from ganbench.plan.table import Table

if TYPE_CHECKING:
    from ganbench.plan.suite import Suite

MOST_PIXELS = 1024
"""Of a side."""


def read_datasets(value: Any, file: Path) -> tuple[dict[str, str], dict[str, Source]]:
    """Streams -> data sets, and those of them that are the suite's own. file: the suite's, from which paths start."""
    where = f"suite file {file}"
    streams = _streams(value)
    if streams is value:
        _mistaken(streams, where)
    sources = {
        name: _source(Table(given, f"{where}, 'dataset'"), file.parent)
        for name, given in streams.items()
        if isinstance(given, dict)
    }
    names = {name: f"own {sources[name].kind}" if name in sources else given for name, given in streams.items()}
    if not names or not all(isinstance(name, str) and name for name in names.values()):
        raise UsageError(
            f"{where}: 'dataset' must be a name, or a table {{ A = \"name\", … }}, or data of its own such as "
            f'{{ images = "folder", size = 32 }}, not {short(value)}'
        )
    for name in set(names.values()) - {f"own {kind}" for kind in KINDS}:
        kind = "npz" if name.endswith((".npz", ".npy")) else "images"
        if kind == "npz" or name.endswith(("/", "\\")) or name.startswith((".", "/", "~")):
            raise UsageError(f"{where}: '{name}' is no name of a data set; is {{ {kind} = \"{name}\" }} meant?")
    return names, sources


def relocated(value: Any, sources: Mapping[str, Source], home: Path) -> Any:
    """The key `dataset` as a suite file in the folder `home` writes it: paths of own data start from there."""
    if not sources:
        return value
    streams = _streams(value)
    moved = {
        name: {**streams[name], source.kind: os.path.relpath(source.place, home)}
        for name, source in sources.items()
        if Path(source.place).is_absolute()
    }
    return {**streams, **moved} if streams is value else moved.get("A", value)


def _streams(value: Any) -> dict[str, Any]:
    """Stream -> what stands there; the value itself where it names streams."""
    several = isinstance(value, dict) and not set(value) & set(KINDS)
    return value if several else {"A": value}


def settle(suite: Suite) -> Suite:
    """The suite with its own data read (or found unchanged in the cache) and named by its content."""
    if not suite.sources:
        return suite
    from ganbench.own_data.prepare import prepare

    found = {stream: prepare(source) for stream, source in suite.sources.items()}
    return dataclasses.replace(
        suite,
        datasets={**suite.datasets, **{stream: data.name for stream, data in found.items()}},
        made={stream: data.made for stream, data in found.items()},
        notices=tuple(notice for data in found.values() for notice in data.notices),
    )


def _mistaken(table: dict[str, Any], where: str) -> None:
    """Keys of own data without what it is about, or with a misspelt one, are no streams."""
    for key, value in table.items():
        meant = difflib.get_close_matches(key, KINDS, n=1, cutoff=0.7)
        if meant and not isinstance(value, dict):
            raise UsageError(f"{where}: 'dataset' has no key '{key}'; did you mean {meant[0]}?")


def _source(table: Table, home: Path) -> Source:
    kinds = [kind for kind in KINDS if kind in table.value]
    if len(kinds) != 1:
        raise UsageError(f"{table.where}: names one of {', '.join(KINDS)}")
    (kind,) = kinds
    place = table.take(kind, str)
    if not place.strip():
        raise UsageError(f"{table.where}: '{kind}' is empty")
    try:
        path = home / Path(place).expanduser()
    except RuntimeError:
        raise UsageError(f"{table.where}: '{kind}' begins at a home folder that nobody has: {place}") from None
    shaping = Shaping(
        size=table.take("size", int, None),
        crop=_one_of(table, "crop", CROPS),
        resize=_one_of(table, "resize", FILTERS),
        channels=table.take("channels", int, None),
        background=_one_of(table, "background", BACKGROUNDS),
    )
    if shaping.size is not None and not 1 <= shaping.size <= MOST_PIXELS:
        raise UsageError(f"{table.where}: 'size' must be from 1 to {MOST_PIXELS} pixels, not {shaping.size}")
    if shaping.channels not in (None, 1, 3):
        raise UsageError(f"{table.where}: 'channels' must be 1 or 3, not {shaping.channels}")
    source = Source(
        kind=kind,
        place=place if kind == "huggingface" and not path.exists() else str(path.absolute()),
        shaping=shaping,
        split=_split(table),
        labels=table.take("labels", bool, True),
        skip_bad=table.take("skip_bad", bool, False),
        layout=_layout(table) if kind == "npz" else None,
        further=_further(table) if kind == "huggingface" else (),
    )
    table.done()
    return source


def _split(table: Table) -> Split:
    shares = {key: float(table.take(key, (int, float), 0.1)) for key in ("val", "test")}
    for key, share in shares.items():
        if not 0 < share < 1:
            raise UsageError(f"{table.where}: '{key}' must be a share between 0 and 1, not {share:g}")
    if sum(shares.values()) >= 1:
        raise UsageError(
            f"{table.where}: 'val' and 'test' leave nothing to train on ({shares['val']:g} and {shares['test']:g})"
        )
    return Split(**shares, seed=table.take("seed", int, 0))


def _layout(table: Table) -> str | None:
    from ganbench.reading.form import LAYOUTS  # not above: it imports NumPy

    layout: str | None = _one_of(table, "layout", LAYOUTS, None)
    return layout


def _further(table: Table) -> tuple[tuple[str, str], ...]:
    given = [(key, table.take(key, str, "")) for key in FURTHER]
    return tuple((key, value) for key, value in given if value)


def _one_of(table: Table, key: str, words: tuple[str, ...], *default: None) -> Any:
    word = table.take(key, str, *(default or words[:1]))
    if word is not None and word not in words:
        raise UsageError(f"{table.where}: '{key}' cannot be '{word}'; {nearest(word, words)}")
    return word
