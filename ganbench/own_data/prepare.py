"""From a source to a data set in the cache: read once, and again only where something has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import PIL

from ganbench.own_data import store
from ganbench.own_data.array import Array
from ganbench.own_data.folder import Folder
from ganbench.own_data.hub import Hub
from ganbench.own_data.samples import Reader
from ganbench.own_data.source import Source
from ganbench.own_data.split import SPLITS, divided
from ganbench.own_data.store import Content

VERSION = 2
"""Of the reading: raised where the same files would become other samples, so that they are read anew."""

READERS: dict[str, Callable[[Source], Reader]] = {"images": Folder, "npz": Array, "huggingface": Hub}


@dataclass(frozen=True)
class Prepared:
    """name: of the data set, for `store.find`. made: how it came about, for the record. notices: lines for the user."""

    name: str
    made: Mapping[str, Any]
    notices: tuple[str, ...]


def prepare(source: Source) -> Prepared:
    """Read a source, split it, and keep it in the cache; a source that is as it was is not read again."""
    reader = READERS[source.kind](source)
    listing = reader.listing()
    asked = {**source.asked(), "skip_bad": source.skip_bad, "layout": source.layout, "further": source.further}
    key = hashlib.sha256(json.dumps([VERSION, PIL.__version__, asked, listing]).encode()).hexdigest()[:32]
    known = store.recall(key) if listing else None
    if known is None:
        known = _read(reader, source)
        if listing:
            store.remember(key, *known)
    content, facts = known
    made = {**source.asked(), **facts["made"]}
    return Prepared(content.name, made, (_summary(content, facts["made"]), *facts["remarks"]))


def _read(reader: Reader, source: Source) -> tuple[Content, dict[str, Any]]:
    samples = reader.read()
    places = divided(samples.digests, source.split, source.place)
    x, y = samples.x, samples.y
    parts = {name: (x[at], None if y is None else y[at]) for name, at in places.items()}
    content = store.keep(parts, "image" if x.dtype == np.uint8 else "points")
    remarks = list(samples.remarks)
    if samples.bad:
        remarks.append(f"{len(samples.bad)} left out that cannot be used; the first: {samples.bad[0]}")
    if copies := len(samples.digests) - len(set(samples.digests)):
        remarks.append(f"{copies} of the samples are copies of others (all copies of one are in one split)")
    made = {
        "shape": list(content.shape),
        "classes": content.classes,
        "sizes": {name: len(at) for name, at in places.items()},
        "left_out": len(samples.bad),
    }
    readable = [remark.encode("utf-8", "replace").decode() for remark in remarks]  # names of files may be any bytes
    return content, {"made": made, "remarks": readable}


def _summary(content: Content, made: Mapping[str, Any]) -> str:
    sizes, form = made["sizes"], "×".join(map(str, content.shape))
    kinds = f" in {content.classes} classes" if content.classes else ""
    parts = ", ".join(f"{name} {sizes[name]:,}" for name in SPLITS)
    what = {"image": "images"}.get(content.modality, content.modality)
    return f"own data {content.name}: {sum(sizes.values()):,} {what} of {form}{kinds}: {parts}"
