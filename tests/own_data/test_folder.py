"""Folders of pictures: classes, what is passed over, what is refused, and reading again only what has changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.errors import UsageError
from ganbench.own_data import folder as rooms
from ganbench.own_data.folder import Folder
from ganbench.own_data.prepare import Prepared, prepare
from ganbench.own_data.samples import Samples
from ganbench.own_data.source import Shaping, Source
from ganbench.own_data.store import find

Maker = Callable[..., Path]


def read(root: Path, shaping: Shaping | None = None, *, labels: bool = True, skip_bad: bool = False) -> Samples:
    return Folder(Source("images", str(root), shaping or Shaping(), labels=labels, skip_bad=skip_bad)).read()


def test_sub_folders_are_classes(folder: Maker) -> None:
    root = folder(b=2, a=3)
    Image.open(root / "b" / "0.png").save(root / "b" / "deeper.png")
    (root / "a" / "more").mkdir()
    os.rename(root / "a" / "2.png", root / "a" / "more" / "2.PNG")
    samples = read(root)
    assert samples.x.shape == (6, 1, 4, 4) and samples.y is not None
    assert samples.y.dtype == np.int64 and samples.y.tolist() == [0, 0, 0, 1, 1, 1]
    assert (samples.x[0, 0] == np.asarray(Image.open(root / "a" / "0.png"))).all()
    assert not samples.bad and not samples.remarks
    assert read(root, labels=False).y is None


def test_names_of_classes_in_the_order_of_their_numbers(folder: Maker) -> None:
    y = read(folder(**{"10": 1, "9": 2})).y
    assert y is not None and y.tolist() == [1, 0, 0]


def test_names_that_are_no_text(folder: Maker, cache: Path) -> None:
    root = folder(a=30, b=30)
    os.rename(os.fsencode(root / "a" / "0.png"), os.fsencode(root / "a") + b"/\xff\x1b[31m.png")
    (root / "b" / "1.png").write_bytes(b"")
    os.rename(os.fsencode(root / "b" / "1.png"), os.fsencode(root / "b") + b"/\xfe.png")
    prepared = prepare(Source("images", str(root), skip_bad=True))
    assert sum(prepared.made["sizes"].values()) == 59 and "b/?.png" in prepared.notices[1]


def test_one_class_or_none_gives_no_labels(folder: Maker) -> None:
    samples = read(folder(all=3))
    assert samples.y is None and "one class only ('all')" in samples.remarks[0]
    root = folder(all=3) / "all"
    assert read(root).y is None and not read(root).remarks


def test_loose_pictures_beside_classes_are_refused(folder: Maker) -> None:
    root = folder(a=2, b=2)
    os.rename(root / "a" / "0.png", root / "0.png")
    with pytest.raises(UsageError, match=r"pictures lie in sub-folders and beside them \(0\.png\)"):
        read(root)
    assert len(read(root, labels=False).x) == 4


def test_what_is_passed_over_is_said(folder: Maker, tmp_path: Path) -> None:
    root = folder(a=2, b=2, empty=0)
    for name in (".DS_Store", "a/._0.png", ".thumbs/0.png", "__MACOSX/0.png", "notes.txt", "a/x.gif", "b/x.GIF"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"no picture")
    (tmp_path / "elsewhere").mkdir()
    (root / "c").symlink_to(tmp_path / "elsewhere")
    (root / "a" / "link.png").symlink_to(root / "b" / "0.png")
    samples = read(root)
    assert len(samples.x) == 5 and samples.y is not None and samples.y.max() == 1
    assert [line.partition(":")[0] for line in samples.remarks] == [
        "not read, for they are no PNG, JPEG, WEBP",
        "links to folders are not followed",
        "no picture in empty, so that it is no class",
    ]
    assert "2 .gif, 1 .txt" in samples.remarks[0] and samples.remarks[1].endswith(": c")


def test_colour_and_grey_together_are_colour(folder: Maker) -> None:
    root = folder(a=2, b=1)
    colour = np.random.default_rng(3).integers(0, 256, (4, 4, 3), np.uint8)
    Image.fromarray(colour).save(root / "b" / "1.png")
    x = read(root).x
    assert x.shape == (4, 3, 4, 4) and (x[0] == x[0, :1]).all() and (x[3] == colour.transpose(2, 0, 1)).all()
    assert read(root, Shaping(channels=1)).x.shape == (4, 1, 4, 4)


def test_sizes_that_differ_have_to_be_settled(folder: Maker) -> None:
    root = folder(a=2)
    Image.new("L", (5, 9)).save(root / "a" / "2.png")
    with pytest.raises(UsageError, match="pictures of 4×4 and of 5×9 pixels; say size = 4"):
        read(root)
    assert read(root, Shaping(4)).x.shape == (3, 1, 4, 4)


def test_a_bad_file_is_named_or_left_out(folder: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(a=3, b=3)
    (root / "a" / "1.png").write_bytes((root / "a" / "1.png").read_bytes()[:40])
    with pytest.raises(UsageError) as error:
        read(root)
    assert str(error.value).startswith("pictures/a/1.png: cannot be read as PNG, JPEG or WEBP")
    assert str(error.value).endswith("; mend or remove it, or say skip_bad = true to leave such files out")
    (root / "b" / "lost.png").symlink_to(root / "nowhere.png")
    os.mkfifo(root / "b" / "pipe.png")
    with pytest.raises(UsageError, match=r"pictures/a/1\.png.*\(3 of 8 files cannot be used\)"):
        read(root)
    samples = read(root, skip_bad=True)
    assert len(samples.x) == 5 and samples.y is not None and samples.y.tolist() == [0, 0, 1, 1, 1]
    assert [line.partition(":")[0] for line in samples.bad] == [
        f"pictures/{name}.png" for name in ("a/1", "b/lost", "b/pipe")
    ]
    assert samples.bad[1].endswith("leads nowhere") and samples.bad[2].endswith("is no file")
    monkeypatch.setattr(rooms, "MOST_BYTES", 10)
    with pytest.raises(UsageError, match=r"none of the 8 pictures can be used; the first: .* at most 10 are read"):
        read(root, skip_bad=True)


def test_no_folder_and_no_picture(folder: Maker, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read(tmp_path / "nowhere")
    root = folder(a=0)
    (root / "a" / "x.bmp").touch()
    with pytest.raises(UsageError, match=r"holds no PNG, JPEG or WebP file \(not read.*1 \.bmp; no picture in a"):
        read(root)


def test_more_than_memory_holds_is_refused(folder: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganbench.reading.limits.MOST_BYTES", 100)
    with pytest.raises(UsageError, match="unfolds to"):
        read(folder(a=9))


def test_the_second_time_nothing_is_decoded(folder: Maker, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(a=30, b=30)
    source = Source("images", str(root))
    first = prepare(source)
    assert find(first.name) is not None and first.made["sizes"]["train"] > 30 and first.made["classes"] == 2
    assert str(root) not in str(first.made) and "pictures" not in str(first.made)

    def again() -> Prepared:
        with monkeypatch.context() as patch:
            patch.setattr(rooms, "decoded", lambda *_: pytest.fail("read once more"))
            return prepare(source)

    assert again() == first
    draw = np.random.default_rng(9)
    before = (root / "a" / "0.png").stat()
    Image.fromarray(draw.integers(0, 256, (4, 4), np.uint8)).save(root / "a" / "0.png")
    os.utime(root / "a" / "0.png", ns=(before.st_atime_ns, before.st_mtime_ns))
    second = prepare(source)
    assert second.name != first.name, "a changed picture is other data, whatever its time says"
    assert again() == second
    train = next((cache / "own-data" / second.name.removeprefix("own:")).glob("train.npy"))
    train.write_bytes(train.read_bytes()[:-1] + b"\0")
    assert prepare(source) == second, "what is damaged in the cache is read anew"
    assert again() == second


def test_names_of_files_do_not_matter(folder: Maker, cache: Path) -> None:
    root = folder(a=30, b=30)
    first = prepare(Source("images", str(root))).name
    for file in list(root.rglob("*.png")):
        file.rename(file.with_name(f"{99 - int(file.stem)}-x.png"))
    (root / "a").rename(root / "A")
    assert prepare(Source("images", str(root))).name == first
