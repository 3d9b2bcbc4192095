"""Data that a suite declares itself: what the file may say, and what becomes of it in a plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ganbench import plugins
from ganbench.errors import UsageError
from ganbench.own_data.source import Shaping, Source, Split
from ganbench.plan.build import Plan, plan
from ganbench.plan.data import resolve_data
from ganbench.plan.own import read_datasets, settle
from ganbench.plan.suite import read_suite

ENTRIES = 'entries = [{ architecture = "t-small", loss = "t-plain" }]\n'


def test_what_can_be_said(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    names, sources = read_datasets("mnist", file)
    assert (names, sources) == ({"A": "mnist"}, {})
    given = {"images": "x/y", "size": 32, "crop": "none", "resize": "box", "channels": 1, "background": "black"}
    _, sources = read_datasets({**given, "val": 0.2, "test": 0.3, "seed": 4, "labels": False, "skip_bad": True}, file)
    assert sources == {
        "A": Source(
            "images",
            str(tmp_path / "x" / "y"),
            Shaping(32, "none", "box", 1, "black"),
            Split(0.2, 0.3, 4),
            labels=False,
            skip_bad=True,
        )
    }
    names, sources = read_datasets({"A": "mnist", "B": {"npz": "/data.npz", "layout": "NHWC"}}, file)
    assert names == {"A": "mnist", "B": "own npz"} and sources == {"B": Source("npz", "/data.npz", layout="NHWC")}
    _, sources = read_datasets({"huggingface": "someone/cats", "part": "all", "label": "kind"}, file)
    assert sources["A"] == Source("huggingface", "someone/cats", further=(("part", "all"), ("label", "kind")))
    (tmp_path / "saved").mkdir()
    assert read_datasets({"huggingface": "saved"}, file)[1]["A"].place == str(tmp_path / "saved")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"image": "x"}, "'dataset' has no key 'image'; did you mean images?"),
        ("digits/", "'digits/' is no name of a data set; is { images = \"digits/\" } meant?"),
        ({"A": "../mine.npz"}, 'is { npz = "../mine.npz" } meant?'),
        ({"images": "x", "npz": "y"}, "names one of images, npz, huggingface"),
        ({"images": "x", "siz": 3}, "unknown key 'siz'; did you mean size"),
        ({"images": ""}, "'images' is empty"),
        ({"images": "~nobody-at-all/x"}, "'images' begins at a home folder that nobody has: ~nobody-at-all/x"),
        ({"images": 3}, "'images' must be a string, not 3"),
        ({"images": "x", "size": 0}, "'size' must be from 1 to 1024 pixels, not 0"),
        ({"images": "x", "size": 4.0}, "'size' must be a whole number, not 4.0"),
        ({"images": "x", "channels": 4}, "'channels' must be 1 or 3, not 4"),
        ({"images": "x", "crop": "center"}, "'crop' cannot be 'center'; did you mean centre?"),
        ({"images": "x", "resize": "cubic"}, "'resize' cannot be 'cubic'; did you mean bicubic"),
        ({"images": "x", "val": 0}, "'val' must be a share between 0 and 1, not 0"),
        ({"images": "x", "test": 1.5}, "'test' must be a share between 0 and 1, not 1.5"),
        ({"images": "x", "val": 0.5, "test": 0.5}, "leave nothing to train on"),
        ({"images": "x", "layout": "NCHW"}, "unknown key 'layout'"),
        ({"npz": "x", "layout": "CHW"}, "'layout' cannot be 'CHW'"),
        ({"size": 32}, "'dataset' must be a name, or a table"),
        ({"A": {"size": 32}}, "names one of images, npz, huggingface"),
    ],
)
def test_a_mistake_is_one_line(said: object, line: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        read_datasets(said, tmp_path / "mine.toml")
    assert line in str(error.value) and "mine.toml" in str(error.value) and "\n" not in str(error.value)


@pytest.fixture
def planned(
    parts: plugins.Registry, suite_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Plan]:
    """Plans the suite of points on a file of its own, beside it."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    draw = np.random.default_rng(0)
    np.savez(tmp_path / "mine.npz", points=draw.normal(size=(300, 2)), labels=np.arange(300) % 3)

    def make(dataset: str) -> Plan:
        file = tmp_path / "points.toml"
        file.write_text(suite_text.replace('dataset = "t-points"', f"dataset = {dataset}") + ENTRIES)
        suite = settle(read_suite(file))
        tier = suite.tier(None)
        return plan(suite, tier, parts, resolve_data(suite, tier, parts), device="cpu")

    return make


def test_a_plan_knows_the_content_and_no_path(planned: Callable[[str], Plan], tmp_path: Path) -> None:
    made = planned('{ npz = "mine.npz", val = 0.2, test = 0.3 }')
    run = made.runs[-1]
    name = run.data["A"]["name"]
    assert name.startswith("own:") and run.score["dataset"] == name and len(run.data["A"]["sha256"]) == 64
    assert run.suite["own_data"]["A"]["split"] == {"val": 0.2, "test": 0.3, "seed": 0}
    assert [p["module"].startswith("ganbench_file_parts_") for p in run.plugins] == [True], "it is no plugin"
    assert str(tmp_path) not in str(run.json()) and "mine.npz" not in str(run.json())
    sizes = run.suite["own_data"]["A"]["sizes"]
    assert made.notices[0].startswith(f"own data {name}: 300 points of 2 in 3 classes: train {sizes['train']}")
    assert any(line.startswith(f"t-real has {sizes['val']} samples (val)") for line in made.notices)
    run.write(tmp_path)
    assert run.read(tmp_path).run_id == run.run_id
    again = planned('{ npz = "mine.npz", val = 0.2, test = 0.3, labels = true }')
    assert [r.run_id for r in again.runs] == [r.run_id for r in made.runs]
    other = planned('{ npz = "mine.npz", val = 0.2, test = 0.3, seed = 1 }')
    assert not {r.run_id for r in other.runs} & {r.run_id for r in made.runs}


def test_beside_a_named_data_set(planned: Callable[[str], Plan]) -> None:
    run = planned('{ A = "t-points", B = { npz = "mine.npz" } }').runs[-1]
    assert run.data["A"]["name"] == "t-points" == run.score["dataset"]
    assert run.data["B"]["name"].startswith("own:") and list(run.suite["own_data"]) == ["B"]
