"""A run's specification: canonical, the same id everywhere, and nothing in the id but training."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ganbench.errors import UsageError
from ganbench.plan.spec import RunSpec, fingerprint

SPEC = RunSpec(
    kind="trained",
    suite={
        **{"id": "s-quick", "name": "s", "version": 1, "tier": "quick", "title": "S", "table": "reduced"},
        **{"ranks": False, "headline": "fd", "columns": ["fd"]},
    },
    entry={"label": "a · l", "architecture": "a", "loss": "l", "preset": None, "role": None, "scale": None},
    components=("l", "r1"),
    recipe={"lr": {"value": 0.1, "origin": "engine"}, "betas": {"value": (0.0, 0.9), "origin": "loss l"}},
    seed=3,
    suite_seed=7,
    data={"A": {"name": "ring", "split": "train", "sha256": "ab"}},
    conditional=False,
    budget={"counter": "real_images", "amount": 1000},
    mode="reference",
    device="cpu",
    threads=1,
    plugins=({"module": "m", "provider": "p", "distribution": None, "version": "1", "sha256": "cd"},),
    score={
        **{"samples": 50, "looks": {"count": 0, "samples": 10}, "dataset": "ring"},
        **{"extractors": [], "metrics": [], "plugins": []},
    },
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    SPEC.write(tmp_path)
    found = RunSpec.read(tmp_path)
    assert found.run_id == SPEC.run_id and found.json() == SPEC.json()
    assert found.values()["betas"] == (0.0, 0.9), "lists of a file are the tuples they were"
    assert (found.components, found.entry_key, found.folder) == (SPEC.components, SPEC.entry_key, SPEC.folder)
    text = (tmp_path / "spec.json").read_bytes()
    found.write(tmp_path)
    assert (tmp_path / "spec.json").read_bytes() == text


def test_ids_are_the_same_for_ever_and_in_every_process(tmp_path: Path) -> None:
    assert SPEC.run_id == "af99686079533c6a" and SPEC.entry_key == "5f1aee0ee91c3429"
    SPEC.write(tmp_path)
    value = json.loads((tmp_path / "spec.json").read_text())
    (tmp_path / "spec.json").write_text(json.dumps(backwards(value)))
    code = "import sys; from pathlib import Path; from ganbench.plan.spec import RunSpec as R;"
    code += "print(R.read(Path(sys.argv[1])).run_id)"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == SPEC.run_id


def backwards(value: Any) -> Any:
    """The same JSON with every object's keys in reverse."""
    if isinstance(value, dict):
        return {k: backwards(v) for k, v in reversed(value.items())}
    return [backwards(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"suite_seed": 8},
        {"components": ("r1", "l")},
        {"recipe": {**SPEC.recipe, "lr": {"value": 0.2, "origin": "engine"}}},
        {"entry": {**SPEC.entry, "loss": "other"}},
        {"data": {"A": {**SPEC.data["A"], "sha256": "ff"}}},
        {"conditional": True},
        {"budget": {"counter": "real_images", "amount": 1001}},
        {"budget": {"counter": "seconds", "amount": 1000}},
        {"mode": "fast"},
        {"device": "cuda"},
        {"threads": 2},
        {"plugins": ({**SPEC.plugins[0], "sha256": "ee"},)},
        {"api_version": 2},
    ],
    ids=str,
)
def test_what_changes_training_changes_the_id(change: dict[str, Any]) -> None:
    assert replace(SPEC, **change).run_id != SPEC.run_id


@pytest.mark.parametrize(
    "change",
    [
        {"score": {**SPEC.score, "samples": 9, "metrics": ["kid"]}},
        {"suite": {**SPEC.suite, "title": "Other", "headline": "kid"}},
        {"entry": {**SPEC.entry, "label": "mine", "preset": "p"}},
        {"recipe": {k: {**v, "origin": "--set"} for k, v in SPEC.recipe.items()}},
        {"plugins": ({**SPEC.plugins[0], "version": "2", "provider": "q", "distribution": "d"},)},
    ],
    ids=str,
)
def test_scores_and_names_do_not(change: dict[str, Any]) -> None:
    assert replace(SPEC, **change).run_id == SPEC.run_id


def test_seeds_data_and_code_share_a_row() -> None:
    code = ({**SPEC.plugins[0], "sha256": "ee"},)
    same = replace(SPEC, seed=9, suite_seed=1, plugins=code, device="cuda", threads=2)
    assert same.entry_key == SPEC.entry_key
    assert replace(SPEC, recipe={}).entry_key != SPEC.entry_key


def test_a_scale_row_depends_on_its_samples_and_no_device() -> None:
    scale = replace(SPEC, kind="scale", recipe={}, components=(), budget={})
    assert replace(scale, device="cuda").run_id == scale.run_id
    assert replace(scale, score={**scale.score, "samples": 51}).run_id != scale.run_id


def test_a_folder_is_named_for_people() -> None:
    named = replace(SPEC, entry={**SPEC.entry, "label": "α/b · c [lr=0.1, x=../..]" + "y" * 200})
    assert named.folder.startswith("b-c-lr=0.1-x=..-..-yyy") and len(named.folder) < 110
    assert named.folder.endswith(f"-s3-{named.run_id[:8]}")


def test_canonical_form() -> None:
    assert fingerprint({"b": 1, "a": (1.0, "é")}) == fingerprint({"a": [1, "é"], "b": 1.0})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})


def change_seed(value: dict[str, Any]) -> None:
    value["seed"] = 4


def drop_seed(value: dict[str, Any]) -> None:
    del value["seed"]


def break_recipe(value: dict[str, Any]) -> None:
    value["recipe"] = [1]


def newer(value: dict[str, Any]) -> None:
    value["schema_version"] = 2


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (change_seed, "was edited"),
        (drop_seed, "lacks seed; delete the folder"),
        (break_recipe, "`recipe` is list, not dict"),
        (lambda v: v.update(threads=0), "`threads` is out of bounds"),
        (lambda v: v["budget"].update(counter="x"), "`budget.counter` is 'x', not one of real_images"),
        (lambda v: v["budget"].update(amount=0), "`budget.amount` is not above 0"),
        (lambda v: v["score"]["metrics"].append({}), r"`score.metrics\[0\].name` is missing"),
        (lambda v: v.update(skip=json.loads("[" * 50 + "]" * 50)), "nested more than 20 levels deep"),
        (newer, "schema_version 2 is newer than 1"),
    ],
)
def test_an_edited_file_is_refused(tmp_path: Path, edit: Any, line: str) -> None:
    SPEC.write(tmp_path)
    value = json.loads((tmp_path / "spec.json").read_text())
    edit(value)
    (tmp_path / "spec.json").write_text(json.dumps(value))
    with pytest.raises(UsageError, match=line) as error:
        RunSpec.read(tmp_path)
    assert str(tmp_path / "spec.json") in str(error.value)


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"spec\.json: cannot be read"):
        RunSpec.read(tmp_path)
