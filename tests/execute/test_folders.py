"""What each resume policy makes of what lies there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganbench.errors import UsageError
from ganbench.execute.folders import Planned, named, prepare, put_back, survey
from ganbench.execute.lock import NAMES
from ganbench.plan.build import Plan
from ganbench.record.head import EARLIER, EARLIER_SPEC

from .conftest import Planner


def leave(planned: Planned, name: str, status: str) -> None:
    planned.spec.write(planned.folder)
    (planned.folder / name).write_text(json.dumps({"schema_version": 1, "status": status}))


@pytest.fixture
def half_done(tmp_path: Path, toy_plan: Planner) -> tuple[Plan, Path]:
    """The first run has a result, the second an error, the others nothing."""
    plan = toy_plan()
    first, second, *_ = survey(plan, tmp_path)
    leave(first, "result.json", "completed")
    leave(second, "error.json", "crashed")
    return plan, tmp_path


def test_a_run_that_is_not_there_has_its_neighbours_named(half_done: tuple[Plan, Path]) -> None:
    plan, out = half_done
    first, second, *_ = survey(plan, out)
    assert named(first.folder).run_id == first.spec.run_id
    for folder, says in (
        (first.folder.with_name(first.folder.name[:-2]), rf"is no run's folder; did you mean {first.folder.name}"),
        (first.folder.parent, rf"is a folder of 2 runs; name one of them, as {min(first.folder, second.folder)}$"),
        (out / "elsewhere", r"is no run's folder; the folders in a suite's folder are runs"),
    ):
        with pytest.raises(UsageError, match=says):
            named(folder)


@pytest.mark.parametrize(
    ("policy", "todo"),
    [
        ("missing", [False, True, True, True, True]),
        ("failed", [False, True, False, False, False]),
        ("all", [True] * 5),
    ],
)
def test_policies(half_done: tuple[Plan, Path], policy: str, todo: list[bool]) -> None:
    runs = survey(*half_done, policy)
    assert [r.state for r in runs] == ["done", "failed", "open", "open", "open"]
    assert [r.todo for r in runs] == todo
    assert prepare(runs) == [r.folder for r in runs if r.todo]
    assert all((r.folder / "spec.json").exists() for r in runs if r.todo)
    assert (runs[0].folder / "result.json").exists(), "old results go when their run begins, not before"


def test_never_refuses_a_folder_that_is_not_empty(half_done: tuple[Plan, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not empty"):
        survey(*half_done, "never")
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "toy-tiny").mkdir(parents=True)
    for name in (".lock", ".lease"):
        (elsewhere / "toy-tiny" / name).touch()
    assert all(r.todo for r in survey(half_done[0], elsewhere, "never"))


def test_a_survey_writes_nothing(tmp_path: Path, toy_plan: Planner) -> None:
    survey(toy_plan(), tmp_path / "runs")
    assert not list(tmp_path.iterdir())


def test_a_result_for_another_question_is_scored_again_without_training(tmp_path: Path, toy_plan: Planner) -> None:
    plan = toy_plan()
    run = survey(plan, tmp_path)[0]
    leave(run, "result.json", "completed")
    (run.folder / "trained.json").touch()
    said = json.loads((run.folder / "spec.json").read_text())
    said["score"]["metrics"] = []
    (run.folder / "spec.json").write_text(json.dumps(said))
    runs = survey(plan, tmp_path)
    assert (runs[0].state, runs[0].todo) == ("stale", True)
    prepare(runs)
    there = {p.name for p in run.folder.iterdir()} - NAMES
    assert sorted(there) == ["result-earlier.json", "spec-earlier.json", "spec.json", "trained.json"]
    assert survey(plan, tmp_path)[0].state == "open"
    prepare(survey(plan, tmp_path))
    assert json.loads((run.folder / "spec.json").read_text())["score"]["metrics"], "asked for anew after a kill"


def test_a_result_that_was_set_aside_stands_again_where_none_was_made(tmp_path: Path, toy_plan: Planner) -> None:
    plan = toy_plan()
    run, other, *_ = survey(plan, tmp_path)
    leave(run, "result.json", "completed")
    said = json.loads((run.folder / "spec.json").read_text())
    said["score"]["metrics"] = []
    (run.folder / "spec.json").write_text(json.dumps(said))
    before = {name: (run.folder / name).read_bytes() for name in ("result.json", "spec.json")}
    prepare(survey(plan, tmp_path))
    assert put_back([run.folder, other.folder]) == [run.folder]
    assert {name: (run.folder / name).read_bytes() for name in before} == before
    assert {p.name for p in run.folder.iterdir()} - NAMES == set(before)
    assert survey(plan, tmp_path)[0].state == "stale", "the command that lost it tries again"
    prepare(survey(plan, tmp_path))
    leave(run, "result.json", "completed")
    assert put_back([run.folder]) == [], "a new one is there"
    assert survey(plan, tmp_path)[0].state == "done"


def test_what_a_killed_command_set_aside_is_found_by_the_command_that_made_it(
    tmp_path: Path, toy_plan: Planner
) -> None:
    plan = toy_plan()
    run = survey(plan, tmp_path)[0]
    leave(run, "result.json", "completed")
    answer = (run.folder / "result.json").read_bytes()
    (run.folder / "result.json").rename(run.folder / EARLIER)
    (run.folder / "spec.json").rename(run.folder / EARLIER_SPEC)
    said = json.loads((run.folder / EARLIER_SPEC).read_text())
    said["score"]["metrics"] = []
    (run.folder / "spec.json").write_text(json.dumps(said))
    prepare(survey(plan, tmp_path))
    assert (run.folder / "result.json").read_bytes() == answer
    assert survey(plan, tmp_path)[0].state == "done"


@pytest.mark.parametrize("text", ['{"schema_version": 1, "sta', "", "[]", "{}"])
def test_a_result_that_cannot_be_read_is_none(tmp_path: Path, toy_plan: Planner, text: str) -> None:
    plan = toy_plan()
    run = survey(plan, tmp_path)[0]
    leave(run, "result.json", "completed")
    (run.folder / "result.json").write_text(text)
    found = survey(plan, tmp_path)[0]
    assert (found.state, found.todo) == ("open", True)
    assert "its result.json cannot be read; made again" in str(found.notice)
    prepare([found])
    assert not (run.folder / "result.json").exists()
    assert (run.folder / "result-broken.json").read_text() == text
    assert survey(plan, tmp_path)[0].notice is None


def test_a_result_of_a_newer_version_is_not_replaced(tmp_path: Path, toy_plan: Planner) -> None:
    plan = toy_plan()
    run = survey(plan, tmp_path)[0]
    leave(run, "result.json", "completed")
    (run.folder / "result.json").write_text('{"schema_version": 999}')
    assert survey(plan, tmp_path)[0].state == "done"


def test_another_command_for_the_same_runs_finds_them_done(tmp_path: Path, toy_plan: Planner) -> None:
    plan = toy_plan()
    run = survey(plan, tmp_path)[0]
    leave(run, "result.json", "completed")
    said = json.loads((run.folder / "spec.json").read_text())
    (run.folder / "spec.json").write_text(json.dumps({**said, "asked": {"tier": "tiny", "seeds": "0..1"}}))
    assert survey(plan, tmp_path)[0].state == "done"


def test_more_samples_than_training_left_are_not_scored_as_if_they_were_there(
    tmp_path: Path, toy_plan: Planner
) -> None:
    plan = toy_plan()
    run = next(r for r in survey(plan, tmp_path) if r.spec.kind == "trained")
    leave(run, "result.json", "completed")
    (run.folder / "trained.json").touch()
    said = json.loads((run.folder / "spec.json").read_text())
    assert said["score"]["samples"] == 100
    for drawn, refused in ((99, True), (101, False)):
        said["score"]["samples"] = drawn
        (run.folder / "spec.json").write_text(json.dumps(said))
        if refused:
            with pytest.raises(UsageError, match="left 99 samples, and 100 are wanted now; --resume all makes them"):
                survey(plan, tmp_path)
        else:
            assert run.spec.run_id in {r.spec.run_id for r in survey(plan, tmp_path) if r.state == "stale"}
        assert all(r.todo for r in survey(plan, tmp_path, "all"))
        assert not any(r.todo for r in survey(plan, tmp_path, "failed"))


def test_one_run_by_two_names_is_done_once(tmp_path: Path, toy_plan: Planner) -> None:
    """A setting that the tier has anyway is in the label and not in the id."""
    plain, spelt = toy_plan(losses=("toy-critic",)), toy_plan(losses=("toy-critic",), latent=2)
    run = next(r for r in survey(plain, tmp_path) if r.spec.kind == "trained" and not r.spec.skip)
    same = next(r for r in spelt.runs if r.run_id == run.spec.run_id)
    assert same.folder != run.spec.folder
    leave(run, "result.json", "completed")
    (found,) = [r for r in survey(spelt, tmp_path) if r.spec.run_id == run.spec.run_id]
    assert (found.folder, found.state, found.todo) == (run.folder, "done", False)
    assert found.spec.json() == run.spec.json()
    label, name = same.entry["label"], run.spec.entry["label"]
    assert found.notice == f"{label} is the same run as {name}, under whose name it lies and stays"
    assert run.notice is None
    other = next(r for r in survey(toy_plan(losses=("toy-critic",), latent=3), tmp_path) if "linear" in r.folder.name)
    assert other.state == "open" and other.folder != run.folder


def test_what_belongs_to_another_run_is_not_taken_over(tmp_path: Path, toy_plan: Planner) -> None:
    run = survey(toy_plan(), tmp_path)[0]
    leave(run, "error.json", "crashed")
    said = json.loads((run.folder / "spec.json").read_text())
    (run.folder / "spec.json").write_text(json.dumps({**said, "run_id": "0" * 16}))
    (run.folder / "trained.json").touch()
    prepare(survey(toy_plan(), tmp_path))
    assert {p.name for p in run.folder.iterdir()} - NAMES == {"spec.json"}


def test_a_folder_that_cannot_be_made(tmp_path: Path, toy_plan: Planner) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"):
        prepare(survey(toy_plan(), tmp_path / "file" / "runs"))
