"""A plan: the order of its runs, their ids, what is measured, and what happens without the data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ganbench.errors import UsageError
from ganbench.plan.build import Plan
from ganbench.plan.columns import column_name
from ganbench.plan.scoring import Choice
from ganbench.record.files import content_hash

Planner = Callable[..., Plan]
FITS_NOT = 'entries = [{ architecture = ["t-pixels", "t-small"], loss = ["t-plain", "t-blind"] }]\n'


def measured(plan: Plan) -> tuple[list[str], str]:
    """Columns and headline, which all runs of a plan share."""
    shown = [r.suite for r in plan.runs]
    assert all(s == shown[0] for s in shown)
    return shown[0]["columns"], shown[0]["headline"]


def test_scale_rows_first_then_seed_by_seed_then_the_skipped(planned: Planner) -> None:
    plan = planned(FITS_NOT, seeds=(3, 1))
    told = [(r.entry["label"], r.seed, r.skip is not None) for r in plan.runs]
    small = [f"t-small · {loss}" for loss in ("t-plain", "t-blind")]
    assert told == [
        ("t-real", 0, False),
        ("t-zero", 0, False),
        *((label, seed, False) for seed in (3, 1) for label in small),
        *((f"t-pixels · {loss}", 3, True) for loss in ("t-plain", "t-blind")),
    ]
    assert [r.entry["role"] for r in plan.runs[:2]] == ["floor", "degenerate"]


def test_ids_are_unique_and_folders_too(planned: Planner) -> None:
    runs = planned().runs
    assert len({r.run_id for r in runs}) == len({r.folder for r in runs}) == len(runs) == 2 + 4 * 2
    twice = planned('entries = [{ architecture = ["t-small", "t-small"], loss = "t-plain" }]\n')
    assert len(twice.runs) == 2 + 2, "the same work is planned once"
    assert {r.run_id for r in runs} == {r.run_id for r in planned().runs}


def test_what_a_run_carries(planned: Planner) -> None:
    run = planned().runs[-1]
    assert run.suite_seed == 7 and run.budget == {"counter": "generator_steps", "amount": 40}
    assert (run.suite["id"], run.suite["version"], run.suite["budget"]) == (
        "points-quick",
        2,
        {"generator_steps": 40},
    )
    assert [p["module"].startswith("ganbench_file_parts_") for p in run.plugins] == [True]
    assert "/" not in str(run.plugins)
    samples = np.arange(40, dtype=np.float32).reshape(20, 2)
    labels = np.arange(20) % 3
    expected = hashlib.sha256(f"{samples.dtype.str}(20, 2)".encode() + samples.tobytes())
    expected.update(f"{labels.dtype.str}(20,)".encode() + labels.tobytes())
    assert run.data == {"A": {"name": "t-points", "split": "train", "sha256": expected.hexdigest()}}
    assert content_hash(samples, None) != content_hash(samples.reshape(2, 20), None)
    metrics = {m["name"]: m["params"] for m in run.score["metrics"]}
    assert metrics["t-fd"] == {"subsets": 3, "kernel": "rbf"}


def test_a_public_name_stands_for_the_official_weights_only(planned: Planner, tmp_path: Path) -> None:
    plan = planned()
    assert measured(plan) == (["THE-DISTANCE", "t-score/t-eye", "t-count"], "THE-DISTANCE")
    (tmp_path / "other").write_bytes(b"other weights")
    plan = planned(choice=Choice((f"t-eye={tmp_path / 'other'}",)))
    assert measured(plan) == (["t-distance/t-eye", "t-score/t-eye", "t-count"], "t-distance/t-eye")
    assert plan.weights == {"t-eye": tmp_path / "other"}
    assert plan.runs[0].score["extractors"][0]["weights"] == hashlib.sha256(b"other weights").hexdigest()
    assert column_name("fd", None) == "fd"


def test_another_layer_is_another_extractor(planned: Planner) -> None:
    plan = planned(choice=Choice(("t-eye@inner",)))
    assert measured(plan) == (["t-distance/t-eye-inner", "t-count"], "t-distance/t-eye-inner")
    plan = planned(choice=Choice(("t-eye@inner", "t-eye"), ("t-fd",)))
    assert measured(plan) == (["t-distance/t-eye-inner", "THE-DISTANCE"], "t-distance/t-eye-inner")
    assert {r.run_id for r in plan.runs} == {r.run_id for r in planned().runs}, "training is the same"


def test_what_is_named_twice_is_measured_once(planned: Planner) -> None:
    (run, *_) = planned(choice=Choice(("t-eye", "t-eye@features", "t-eye@inner"), ("t-fd", "t-fd"))).runs
    assert [e["features"] for e in run.score["extractors"]] == ["features", "inner"]
    assert [m["name"] for m in run.score["metrics"]] == ["t-fd"]


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        (Choice(("t-eye@iner",)), "extractor 't-eye' has no layer 'iner'; there are: features, inner, logits"),
        (Choice(("t-eey",)), "no extractor 't-eey'; did you mean t-eye"),
        (Choice((), ("t-fid",)), "no metric 't-fid'; did you mean t-fd"),
        (Choice(("t-heavy",)), "t-heavy: its weights are not on this machine"),
        (Choice(("t-eye@inner",), ("t-score",)), "nothing to measure"),
        (
            Choice(("t-sounds",)),
            "extractor 't-sounds' takes audio, not points, which is what data set 't-points' has; these take it: t-eye",
        ),
    ],
)
def test_a_choice_that_cannot_be(planned: Planner, choice: Choice, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        planned(choice=choice)


def test_params_of_a_metric_that_is_not(planned: Planner) -> None:
    text = 'params = { t-fid = { subsets = 3 } }\nbudget = { seconds = 1 }\nentries = [{ preset = "t-paper" }]\n'
    with pytest.raises(UsageError, match="no metric 't-fid'; did you mean t-fd"):
        planned("[tiers.other]\nseeds = 1\n" + text, text=head("default_tier = 'other'"))


@pytest.mark.parametrize(
    ("params", "line"),
    [
        ("subset = 3", "suite 'points', tier 'quick': metric 't-fd' has no parameter 'subset'; did you mean subsets?"),
        ('subsets = "few"', "'params.t-fd.subsets' takes a whole number such as 10, not 'few'"),
        ("subsets = 1.5", "'params.t-fd.subsets' takes a whole number such as 10, not 1.5"),
        ("kernel = 3", "'params.t-fd.kernel' takes a word such as 'rbf', not 3"),
    ],
)
def test_params_that_a_metric_does_not_have(planned: Planner, suite_text: str, params: str, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        planned(text=suite_text.replace("subsets = 3", params))


@pytest.mark.parametrize("headline", ["t-distance/t-eye", "THE-DISTANCE", "t-count", "t-score/t-eye"])
def test_a_headline_that_was_taken_away(planned: Planner, suite_text: str, headline: str) -> None:
    text = suite_text.replace("t-distance/t-eye", headline)
    assert measured(planned(text=text, choice=Choice(("t-eye@inner",), ("t-fd",))))[1] == "t-distance/t-eye-inner"


@pytest.mark.parametrize("headline", ["t-distence/t-eye", "t-distance", "t-count/t-eye", "t-distance/t-eye-inner"])
@pytest.mark.parametrize("choice", [Choice(), Choice((), ("t-count",))])
def test_a_headline_that_never_was(planned: Planner, suite_text: str, headline: str, choice: Choice) -> None:
    with pytest.raises(
        UsageError, match=f"suite 'points': 'headline' must be one of its columns, not '{headline}'; did"
    ):
        planned(text=suite_text.replace("t-distance/t-eye", headline), choice=choice)


@pytest.mark.parametrize(
    ("condition", "line"),
    [
        ("below_share_of_degenrate = 0.5", "names no role of the suite's scale, 'degenrate'; did you mean degenerate?"),
        (
            'below_role = "ceiling"',
            "'below_role' names no role of the suite's scale, 'ceiling'; there are: degenerate, ",
        ),
        (
            "recal_at_least = 0.5",
            "'recal_at_least' bounds nothing that is measured, 'recal'; there are: THE-DISTANCE, ",
        ),
        ("confidense_at_most = 0.5", "bounds nothing that is measured, 'confidense'; did you mean confidence?"),
    ],
)
def test_a_level_of_what_is_not_there(planned: Planner, suite_text: str, condition: str, line: str) -> None:
    with pytest.raises(UsageError, match=f"suite 'points', level 'good': .*{line}"):
        planned(text=suite_text.replace("[tiers.quick]", f"[levels.good]\n{condition}\n[tiers.quick]"))


def test_levels_of_what_is_there(planned: Planner, suite_text: str) -> None:
    good = "below = 3\nbelow_share_of_degenerate = 0.5\nt_score_at_least = 1\nhistogram_tv_at_most = 0.2\n"
    text = suite_text.replace("[tiers.quick]", f"[levels.good]\n{good}below_role = 'floor'\n[tiers.quick]")
    for choice in (Choice(), Choice((), ("t-count",))):
        assert set(planned(text=text, choice=choice).runs[0].suite["levels"]["good"]) == {
            "below", "below_share_of_degenerate", "t_score_at_least", "histogram_tv_at_most", "below_role",
        }  # fmt: skip


def test_two_metrics_with_one_column(planned: Planner, suite_text: str) -> None:
    text = suite_text.replace('"t-count"]', '"t-count", "t-twin"]')
    with pytest.raises(
        UsageError, match="metrics 't-count' and 't-twin' both have a column 't-count': leave one out, or"
    ):
        planned(text=text)
    assert measured(planned(text=text, choice=Choice((), ("t-twin",))))[0] == ["t-count/t-eye"]


def test_a_stand_in_that_nobody_has(planned: Planner) -> None:
    with pytest.raises(UsageError, match="suite 'points', tier 'quick', 'offline': no dataset 't-pints'; did you mean"):
        planned('offline = "t-pints"\nentries = [{ architecture = "t-small", loss = "t-plain" }]\n')


def test_a_batch_that_cannot_be_split(planned: Planner) -> None:
    with pytest.raises(
        UsageError, match=r"--set: recipe key 'accumulate' must divide the batch_size, 64 \(of engine\)"
    ):
        planned(settings={"accumulate": 7})
    assert planned(settings={"accumulate": 8}).runs


def head(more: str) -> str:
    """A suite's first lines, without a tier."""
    lines = 'version = 1\ndataset = "t-far"\nextractor = "t-eye"\nmetrics = "t-fd"\nheadline = "t-distance/t-eye"\n'
    return lines.replace("t-far", "t-points") + more + "\n"


def test_further_extractors_are_for_accelerators(planned: Planner) -> None:
    tier = 'extra_extractor = ["t-heavy"]\nentries = [{ architecture = "t-small", loss = "t-plain" }]\n'
    assert not any("t-heavy" in n for n in planned(tier).notices)
    plan = planned(tier, device="cuda")
    assert plan.notices == ("t-heavy: its weights are not on this machine; its columns are left out",)
    assert {r.run_id for r in plan.runs}.isdisjoint(r.run_id for r in planned(tier).runs if r.kind == "trained")


def test_a_slow_extractor_is_told_on_a_cpu(planned: Planner) -> None:
    (notice,) = planned().notices
    assert notice.startswith("t-eye reads about 0.5 images/s on one CPU core: scoring 1,000 samples takes about 0.6")
    assert not planned(device="cuda").notices


def far(text: str) -> str:
    from_points = 'dataset = "t-points"'
    assert from_points in text
    return text.replace(from_points, 'dataset = "t-far"')


def test_without_the_data_a_stand_in_is_used_and_said(planned: Planner, suite_text: str) -> None:
    entries = 'entries = [{ architecture = "t-small", loss = "t-plain" }]\n'
    plan = planned('offline = "t-copy"\n' + entries, text=far(suite_text))
    assert plan.suite_id == "points-quick-on-t-copy"
    assert plan.notices[0].startswith("t-far: not on this machine") and "using t-copy instead" in plan.notices[0]
    assert {r.data["A"]["name"] for r in plan.runs} == {"t-copy"}
    assert {r.score["dataset"] for r in plan.runs} == {"t-points"}, "the stand-in names its reference"


def test_without_data_and_stand_in_there_is_no_plan(planned: Planner, suite_text: str) -> None:
    entries = 'entries = [{ architecture = "t-small", loss = "t-plain" }]\n'
    with pytest.raises(UsageError, match=r"t-far: not on .*\(suite 'points', tier 'quick', has no stand-in for it\)"):
        planned(entries, text=far(suite_text))
    with pytest.raises(UsageError, match="t-far: not on"):
        planned('offline = "t-copy"\n' + entries, dataset="t-far")


def test_another_data_set_is_another_suite(planned: Planner) -> None:
    assert planned(dataset="t-copy").suite_id == "points-quick-on-t-copy"
    assert planned(dataset="t-points").suite_id == "points-quick"
    with pytest.raises(UsageError, match="no dataset 't-pints'; did you mean t-points"):
        planned(dataset="t-pints")


def test_several_streams_have_no_other_data(planned: Planner, suite_text: str) -> None:
    text = suite_text.replace('dataset = "t-points"', 'dataset = { A = "t-points", B = "t-copy" }')
    plan = planned('entries = [{ game = "t-game" }]\n', text=text)
    assert {s: d["name"] for s, d in plan.runs[-1].data.items()} == {"A": "t-points", "B": "t-copy"}
    with pytest.raises(UsageError, match="--dataset t-copy: suite 'points' trains on several data sets"):
        planned('entries = [{ game = "t-game" }]\n', text=text, dataset="t-copy")
