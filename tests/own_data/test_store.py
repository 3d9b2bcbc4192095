"""Own data in the cache: found by its name alone, and one clear line where it is gone or damaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ganbench import plugins
from ganbench.errors import UsageError
from ganbench.own_data.store import Content, find, keep

X = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
PARTS = {split: (X + at, np.arange(2)) for at, split in enumerate(("train", "val", "test"))}


@pytest.fixture
def content(cache: Path) -> Content:
    return keep(PARTS, "image")


def test_a_registry_finds_it_by_its_content(content: Content, cache: Path) -> None:
    found = plugins.Registry().find("dataset", content.name)
    assert found.name == content.name == found.record.name and found.record.spec.classes == 2
    for split, (x, y) in PARTS.items():
        again, labels = found.record.load(split)
        assert (again == x).all() and (labels == y).all() and again.flags.writeable
    assert keep(PARTS, "image").name == content.name
    other = keep({split: (x, None) for split, (x, _) in PARTS.items()}, "image")
    assert other.name != content.name and find(other.name).load("val")[1] is None  # type: ignore[union-attr]
    with pytest.raises(UsageError, match="has no split 'all'"):
        found.record.load("all")
    assert not list((cache / "own-data").glob(".*")), "nothing half-made is left"


@pytest.mark.parametrize("name", ["own:../../etc", "own:abc", "own:" + "A" * 32, "mnist", "own:"])
def test_no_other_name_leads_to_the_disk(name: str) -> None:
    assert find(name) is None


def test_what_is_gone_or_damaged(content: Content, cache: Path) -> None:
    home = cache / "own-data" / content.name.removeprefix("own:")
    dataset = find(content.name)
    assert dataset is not None
    saved = (home / "val.npy").read_bytes()
    for damage in (saved[:-1] + b"\1", saved[:50], b""):
        (home / "val.npy").write_bytes(damage)
        with pytest.raises(UsageError, match="damaged in the cache; run its suite again"):
            dataset.load("val")
    keep(PARTS, "image")
    assert (dataset.load("val")[0] == PARTS["val"][0]).all(), "keeping it again mends it"
    about = json.loads((home / "about.json").read_text())
    (home / "about.json").write_text(json.dumps({**about, "shape": [1, 4, 4]}))
    with pytest.raises(UsageError, match="damaged in the cache"):
        find(content.name)
    (home / "about.json").unlink()
    with pytest.raises(UsageError, match=r"is not in the cache \(GANBENCH_CACHE\) any more; run its suite again"):
        find(content.name)


def test_a_cache_that_cannot_be_written(cache: Path) -> None:
    cache.write_text("a file in the way")
    with pytest.raises(UsageError, match="cannot be written"):
        keep(PARTS, "image")
