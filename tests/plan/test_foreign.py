"""Which suite measures foreign samples, and the identity of their row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ganbench.api import Metric, SuiteFile
from ganbench.errors import UsageError
from ganbench.plan.foreign import Known, plan_foreign, protocol, suite_of
from ganbench.plan.scoring import Choice
from ganbench.plan.spec import RunSpec
from ganbench.plugins import Registered, Registry

TIER = '[tiers.quick]\nbudget = { seconds = 1 }\nsamples = 100\nentries = [{ preset = "t-paper" }]\nseeds = 1\n'
HEAD = 'version = 3\ndataset = "t-points"\nextractor = "t-eye"\nmetrics = ["t-fd", "t-count"]\nheadline = "t-count"\n'


def with_suites(parts: Registry, place: Path, *names: str) -> Registry:
    some = parts.entries[0].provenance
    found = []
    for name in names:
        (place / f"{name}.toml").write_text(HEAD + TIER)
        found.append(Registered("suite", name, SuiteFile(name, place / f"{name}.toml"), some))
    return Registry([*(e for e in parts.entries if e.kind != "suite"), *found])


def known(**changes: object) -> Known:
    return replace(Known("theirs", None, "ab" * 32, 80, False), **changes)  # type: ignore[arg-type]


def test_a_data_sets_own_suite_is_taken(parts: Registry, tmp_path: Path) -> None:
    assert suite_of(with_suites(parts, tmp_path, "one"), "t-points").name == "one"
    assert suite_of(with_suites(parts, tmp_path, "one", "t-points"), "t-points").name == "t-points"
    with pytest.raises(UsageError, match="several suites use it; say which with --suite: one, two"):
        suite_of(with_suites(parts, tmp_path, "one", "two"), "t-points")
    with pytest.raises(UsageError, match="did you mean t-points"):
        suite_of(parts, "t-pints")


def test_without_a_suite_the_measures_are_said(parts: Registry, tmp_path: Path) -> None:
    registry = with_suites(parts, tmp_path)
    bare = suite_of(registry, "t-points")
    with pytest.raises(
        UsageError, match="no suite measures data set 't-points': say how with --extractor and --metric"
    ):
        protocol(registry, bare, None, None, Choice(("t-eye",)), "cpu")
    how = protocol(registry, bare, None, None, Choice(("t-eye",), ("t-fd",)), "cpu")
    plan = plan_foreign(how, known(), "cpu")
    assert plan.suite_id == "t-points-evaluate" and plan.runs[0].suite["headline"] == "THE-DISTANCE"


def test_the_row_is_its_samples(parts: Registry, tmp_path: Path) -> None:
    registry = with_suites(parts, tmp_path, "points")
    how = protocol(registry, suite_of(registry, "t-points"), None, None, Choice(), "cpu")

    def row(**changes: object) -> RunSpec:
        return plan_foreign(how, known(**changes), "cpu").runs[0]

    first = row()
    assert first.kind == "foreign" and first.suite["id"] == "points-quick" and first.score["samples"] == 80
    assert first.entry["foreign"] == "theirs" and not first.plugins and not first.recipe
    assert len({r.run_id for r in (first, row(sha256="cd" * 32), row(name="other"), row(seed=1))}) == 4
    assert row(seed=1).entry_key == row(seed=2, sha256="cd" * 32).entry_key != first.entry_key
    first.write(tmp_path / "run")
    assert RunSpec.read(tmp_path / "run").run_id == first.run_id


def test_another_data_set_is_another_suite(parts: Registry, tmp_path: Path) -> None:
    registry = with_suites(parts, tmp_path, "points")
    how = protocol(registry, suite_of(registry, "t-points"), None, "t-copy", Choice(), "cpu")
    assert plan_foreign(how, known(), "cpu").suite_id == "points-quick-on-t-copy"


def test_what_looks_at_training_samples_is_left_out(parts: Registry, tmp_path: Path) -> None:
    registry = with_suites(parts, tmp_path, "points")
    count = registry.find("metric", "t-count")
    learns: Metric = replace(count.record, name="t-learns", needs=("samples", "training"))
    registry.entries.append(replace(count, name="t-learns", record=learns))
    suite = suite_of(registry, "t-points")
    how = protocol(registry, suite, None, None, Choice(metrics=("t-fd", "t-learns")), "cpu")
    assert [m["name"] for m in how.scoring.score["metrics"]] == ["t-fd"]
    assert how.notices == ("t-learns is left out: it compares with the training samples, which are not known",)
    with pytest.raises(UsageError, match="t-learns is left out"):
        protocol(registry, suite, None, None, Choice(metrics=("t-learns",)), "cpu")
