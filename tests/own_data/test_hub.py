"""Data sets of the library `datasets`, saved in a folder; without the library, what to install."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganbench.errors import UsageError
from ganbench.own_data.hub import Hub
from ganbench.own_data.prepare import prepare
from ganbench.own_data.samples import Samples
from ganbench.own_data.source import FURTHER, Shaping, Source
from ganbench.own_data.store import find

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 6, 5), np.uint8)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match=r"install the extra: pip install 'ganbench\[huggingface\]'$"):
        Hub(Source("huggingface", "someone/cats"))


@pytest.fixture(scope="module")
def library() -> Any:
    return pytest.importorskip("datasets", reason="needs the extra ganbench[huggingface]")


@pytest.fixture
def saved(library: Any, tmp_path: Path) -> Path:
    """40 pictures of three classes (the middle one without any), the last of them broken, and a column of numbers."""
    rows = []
    for image in IMAGES:
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "PNG")
        rows.append({"bytes": stream.getvalue(), "path": None})
    rows[-1] = {"bytes": rows[-1]["bytes"][:60], "path": None}
    features = library.Features(
        {
            "picture": library.Image(),
            "kind": library.ClassLabel(names=["cat", "dog", "ape"]),
            "age": library.Value("int64"),
        }
    )
    columns = {"picture": rows, "kind": [0, 2] * 20, "age": list(range(40))}
    table = library.Dataset.from_dict(columns, features=features)
    library.DatasetDict(train=table, rest=table.select(range(10))).save_to_disk(str(tmp_path / "saved"))
    return tmp_path / "saved"


def read(place: Path, shaping: Shaping | None = None, skip_bad: bool = True, **further: str) -> Samples:
    assert set(further) <= set(FURTHER)
    pairs = tuple(further.items())
    return Hub(Source("huggingface", str(place), shaping or Shaping(), skip_bad=skip_bad, further=pairs)).read()


def test_pictures_and_classes(saved: Path) -> None:
    samples = read(saved)
    assert (samples.x[:, 0] == IMAGES[:-1]).all() and samples.y is not None
    assert samples.y.tolist() == ([0, 1] * 20)[:-1], "a class without pictures is none"
    assert len(samples.bad) == 1 and samples.bad[0].startswith("saved, row 39: cannot be read")
    with pytest.raises(UsageError, match=r"saved, row 39: .*skip_bad = true"):
        read(saved, skip_bad=False)
    assert read(saved, Shaping(4), part="rest").x.shape == (10, 1, 4, 4)
    by_age = read(saved, part="rest", label="age").y
    assert by_age is not None and by_age.tolist() == list(range(10))


def test_a_picture_that_is_only_named_lies_beside_the_table(library: Any, saved: Path, tmp_path: Path) -> None:
    Image.fromarray(IMAGES[0]).save(tmp_path / "private.png")
    Image.fromarray(IMAGES[1]).save(saved / "own.png")
    paths = [str(tmp_path / "private.png"), str(saved / "own.png"), str(saved / ".." / "private.png"), "nowhere.png"]
    columns = {"picture": [{"bytes": None, "path": path} for path in paths]}
    table = library.Dataset.from_dict(columns, features=library.Features({"picture": library.Image(decode=False)}))
    reader = Hub(Source("huggingface", str(saved), skip_bad=True))
    reader.table = table
    samples = reader.read()
    assert (samples.x[:, 0] == IMAGES[1:2]).all() and len(samples.bad) == 3
    assert samples.bad[0] == "saved, row 0: has no picture"


def test_mistakes_are_one_line(saved: Path) -> None:
    for further, line in (
        ({"part": "none"}, "none"),
        ({"image": "photo"}, "no column 'photo'; there are: picture, kind, age"),
        ({"image": "age"}, r"saved: age holds no images; there are: picture \(Image\)"),
    ):
        with pytest.raises(UsageError, match=line) as error:
            read(saved, skip_bad=False, **further)
        assert "\n" not in str(error.value)


def test_it_becomes_a_data_set_and_is_not_read_twice(saved: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Source("huggingface", str(saved), skip_bad=True)
    first = prepare(source)
    dataset = find(first.name)
    assert dataset is not None and dataset.spec.shape == (1, 6, 5) and dataset.spec.classes == 2
    monkeypatch.setattr(Hub, "read", lambda self: pytest.fail("read once more"))
    assert prepare(source) == first
