"""Leaderboards from records: what is a row, in which order, and what is said of it."""

import random
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from made_records import HEADLINE, OTHERS, SCALE, record, rows, scale_record, scale_records, score

from ganbench.rank import from_records

CLOSE = [0.9, 1.0, 1.1, 0.95, 1.05]


def five(**centres):
    return rows(**{label: [centre * share for share in CLOSE] for label, centre in centres.items()})


def board(records):
    (only,) = from_records(records)
    return only


def row(made, label):
    return made.frame.set_index("label").loc[label]


def test_rows_are_ordered_by_median_and_ranked():
    made = board(five(b=200, a=100, c=205) + scale_records())
    assert list(made.section("entries")["label"]) == ["a", "b", "c"]
    assert list(made.section("entries")["rank_low"]) == [1, 2, 2]
    assert list(made.section("entries")["rank_high"]) == [1, 3, 3]
    assert row(made, "a")["centre"] == pytest.approx(100 * np.prod(CLOSE) ** 0.2)
    assert row(made, "a")["low"] < row(made, "a")["centre"] < row(made, "a")["high"]
    assert list(made.section("scale")["label"]) == [name for name, _ in SCALE.values()]
    assert made.headline.title == "distance/net/10k"
    assert "Holm's correction over 3 pairs" in " ".join(made.captions)
    assert set(made.pairs["better"]) == {"a", ""}


def test_a_lone_row_has_an_interval_and_no_rank():
    made = board(five(a=100) + scale_records())
    assert row(made, "a")["low"] < 100 < row(made, "a")["high"]
    assert made.frame["rank_low"].isna().all() and made.pairs.empty
    assert "No ranks: fewer than two entries have 3 seeds." in made.captions


def test_records_in_any_order_give_the_same_tables():
    records = [*five(a=100, b=200), record("c", 0, None, "diverged"), *scale_records()]
    shuffled = random.Random(0).sample(records, len(records))
    one, two = board(records), board(shuffled)
    pd.testing.assert_frame_equal(one.frame, two.frame)
    pd.testing.assert_frame_equal(one.scores, two.scores)
    assert one.captions == two.captions


def test_two_seeds_are_values_and_nothing_more():
    made = board(rows(a=[260.0, 228.0], b=[300.0, 310.0]))
    assert row(made, "a")["values"] == (260.0, 228.0)
    assert np.isnan([row(made, "a")[key] for key in ("low", "high", "rank_low", "rank_high")]).all()
    assert made.pairs.empty


def test_a_suite_without_ranks_has_none():
    records = [{**r, "suite": {**r["suite"], "ranks": False, "note": "Too short."}} for r in five(a=100, b=300)]
    made = board(records)
    assert made.frame["rank_low"].isna().all() and "Too short." in made.captions
    assert not np.isnan(row(made, "a")["low"])


def test_failed_seeds_are_the_worst_in_the_median():
    steady = rows(steady=[300.0, 310.0, 320.0])
    lucky = [*rows(lucky=[100.0, 110.0]), record("lucky", 2, None, "diverged", reason="NaN at step 4")]
    half = [record("half", 0, 50.0), record("half", 1, None, "diverged")]
    made = board(steady + lucky + half)
    assert list(made.section("entries")["label"]) == ["lucky", "steady", "half"]
    assert row(made, "lucky")["median"] == 110.0 and np.isnan(row(made, "lucky")["low"])
    assert np.isnan(row(made, "half")["median"])
    assert row(made, "lucky")[["n", "completed", "diverged", "missing"]].tolist() == [3, 2, 1, 0]
    assert row(made, "lucky")["reason"] == "NaN at step 4"


def test_a_row_that_mostly_failed_is_unranked():
    bad = [record("bad", 0, 10.0), record("bad", 1, None, "diverged"), record("bad", 2, None, "diverged")]
    made = board(five(a=100, b=200) + bad)
    assert list(made.section("unranked")["label"]) == ["bad"]
    assert row(made, "b")["rank_high"] == 2


def test_lost_attempts_are_missing_and_not_failures():
    lost = [
        *rows(a=[100.0, 101.0]),
        record("a", 2, None, "oom", reason="out of memory"),
        record("b", 0, None, "killed"),
    ]
    made = board(lost)
    assert row(made, "a")[["n", "diverged", "missing"]].tolist() == [2, 0, 1] and row(made, "a")["section"] == "entries"
    assert row(made, "b")["section"] == "unranked" and row(made, "b")["n"] == 0
    assert any(line.startswith("Missing: 2 runs") for line in made.captions)


def test_no_better_than_the_degenerate_row_is_a_failure():
    made = board(rows(a=[100.0, 696.0, 110.0], b=[900.0, 901.0, 902.0]) + scale_records())
    assert row(made, "a")["statuses"] == ("completed", "degenerate", "completed")
    assert row(made, "a")["degenerate"] == 1 and row(made, "a")["completed"] == 3
    assert row(made, "b")["section"] == "unranked"
    assert row(board(rows(b=[900.0] * 3)), "b")["degenerate"] == 0


def test_higher_is_better_turns_everything():
    records = [*five(a=100, b=200, c=5), scale_record("degenerate")]
    for made in records:
        made["scores"][0].update(
            direction="higher", value=made["scores"][0]["value"] if made["kind"] == "trained" else 6.0
        )
    made = board(records)
    assert list(made.section("entries")["label"]) == ["b", "a"]
    assert list(made.section("entries")["rank_low"]) == [1, 2]
    assert row(made, "c")["degenerate"] == 5


def test_without_a_direction_no_value_is_degenerate():
    records = [*rows(a=[100.0, 800.0, 900.0]), scale_record("degenerate")]
    for made in records:
        made["scores"][0]["direction"] = "none"
    assert row(board(records), "a")["degenerate"] == 0


def test_skipped_rows_keep_their_reason():
    made = board([*five(a=100), record("x", 0, None, "skipped", reason="no labels"), record("x", 1, None, "skipped")])
    assert row(made, "x")["section"] == "skipped" and row(made, "x")["reason"] == "no labels; skipped"


def test_a_newer_run_supersedes_and_a_copy_counts_once():
    old = record("a", 0, 500.0, run_id="0" * 16, finished="2025-01-01T00:00:00Z")
    new = record("a", 0, 100.0)
    elsewhere = record("a", 0, 101.0, finished="2026-02-01T00:00:00Z", environment={"machine": "other"})
    made = board([old, new, new, elsewhere])
    assert row(made, "a")["values"] == (100.0,)
    assert any(line.startswith("Superseded: 1 ") for line in made.captions)
    assert any(line.startswith("Reproduced: 1 ") for line in made.captions)


def test_copies_of_a_reproduction_are_one():
    again = record("a", 0, 101.0, finished="2026-02-01T00:00:00Z", environment={"machine": "other"})
    third = {**again, "environment": {"machine": "third"}, "finished": "2026-03-01T00:00:00Z"}
    made = board([record("a", 0, 100.0), again, dict(again), third, dict(third)])
    assert any(line.startswith("Reproduced: 2 ") for line in made.captions)


def test_a_lost_attempt_never_stands_before_a_finished_run():
    lost = record("a", 0, None, "interrupted", run_id="f" * 16, finished="2031-01-01T00:00:00Z", reason="Ctrl-C")
    made = board([record("a", 0, 100.0), lost, *rows(b=[200.0])])
    assert row(made, "a")["values"] == (100.0,) and row(made, "a")["missing"] == 0
    assert not any(line.startswith(("Superseded", "Missing")) for line in made.captions)
    newer = {**lost, "finished": "2032-01-01T00:00:00Z", "run_id": "e" * 16, "reason": "no memory", "status": "oom"}
    assert row(board([lost, newer]), "a")["reason"] == "no memory"


def test_an_added_measurement_does_not_take_the_place_of_the_planned_one():
    records = five(a=100)
    planned = records[0]["scores"][1]["value"]
    for made in records:
        extra = {"value": 99.0, "fingerprint": "0" * 12, "added": "2031-01-01T00:00:00Z"}
        made["scores"] += [{**made["scores"][1], **extra}, {**made["scores"][1], **extra}]
        made["scores"] += [score("later/net", 3.0, fingerprint="9" * 12, added="2031-01-01T00:00:00Z")]
    made = board(records)
    assert made.scores[made.scores["column"] == OTHERS[0]]["value"].iloc[0] == planned
    assert set(made.scores[made.scores["column"] == "later/net"]["value"]) == {3.0}
    assert any(line.startswith(f"{OTHERS[0]}: 10 values measured otherwise") for line in made.captions)


def test_only_a_plugin_of_two_versions_is_told_of_and_not_one_more_plugin():
    def said(records):
        return [line for line in board(records).captions if "different versions" in line]

    records = five(a=100, b=200)
    records[0]["plugins"].append({"module": "further", "sha256": "cd" * 32})
    assert said(records) == []
    records[6]["plugins"] = [{"module": "deep", "sha256": "ef" * 32}]
    assert said(records) == ["Seeds made with different versions of a plugin's code: b."]


def test_a_run_scored_again_on_its_machine_replaces_its_older_scores():
    old, new = record("a", 0, 100.0), record("a", 0, 90.0, finished="2026-03-01T00:00:00Z")
    assert row(board([new, old]), "a")["values"] == (90.0,)


def test_other_comparability_is_another_table():
    small = five(a=90)
    for made in small:
        made["entry"].update(conditional=True, key="other")
        made["run_id"] = f"conditional{made['seed']}"
        made["scores"][0]["comparability"] = "other"
    lost = record("z", 0, None, "diverged", entry={"conditional": True})
    tables = from_records([*five(a=100, b=110), *small, lost, *scale_records()])
    assert [list(t.section("entries")["label"]) for t in tables] == [["a", "b"], ["a"]]
    assert "z" in set(tables[1].frame["label"]) and "z" not in set(tables[0].frame["label"])
    assert all(len(t.section("scale")) == 4 for t in tables)


def with_raw(records, share=2.0):
    for made in records:
        made["scores"] += [score(HEADLINE, share * made["scores"][0]["value"], "last-raw", False)]
    return records


def test_raw_weights_are_a_row_of_their_own():
    made = board([*with_raw(five(a=100)), record("a", 5, None, "diverged")])
    assert list(made.section("entries")["label"]) == ["a", "a (raw)"]
    assert list(made.section("entries")["diverged"]) == [1, 1]


def test_only_the_headline_variant_of_an_entry_is_ranked_and_compared():
    """Its raw weights are of the same trainings: three entries are three rows to rank and three pairs."""
    made = board(with_raw(five(a=100, b=200, c=205), share=0.5))
    assert len(made.frame) == 6 and len(made.pairs) == 3
    ranks = {label: row(made, label)[["rank_low", "rank_high"]].tolist() for label in "abc"}
    assert ranks == {"a": [1, 1], "b": [2, 3], "c": [2, 3]}
    assert all(np.isnan(row(made, f"{label} (raw)")["rank_low"]) for label in "abc")
    assert "Holm's correction over 3 pairs" in " ".join(made.captions)
    assert "(raw): other weights of the same runs, so neither ranked nor compared." in made.captions
    lone = board(with_raw(five(a=100)))
    assert lone.pairs.empty and "No ranks: fewer than two entries have 3 seeds." in lone.captions


def test_two_variants_that_both_say_they_are_the_headline_are_one_to_rank():
    records = with_raw(five(a=100, b=200))
    for made in records:
        made["scores"][-1]["headline_variant"] = True
    assert board(records).frame["rank_low"].notna().sum() == 2


def test_equal_labels_are_told_apart():
    records = [record("a", 0, 1.0, entry={"key": "abcdef99"}), record("a", 0, 2.0, entry={"key": "123456"}, run_id="2")]
    assert list(board(records).frame["label"]) == ["a #abcdef", "a #123456"]


def test_a_value_measured_otherwise_stays_out_of_the_column():
    records = five(a=100)
    records[0]["scores"][2]["fingerprint"] = "elsewhere"
    made = board(records)
    values = made.scores[made.scores["column"] == OTHERS[1]]["value"]
    assert values.isna().sum() == 1
    assert any(line.startswith(f"{OTHERS[1]}: 1 value ") for line in made.captions)


def test_what_a_metric_warned_of_is_a_line():
    records = five(a=100)
    for at in (1, 3):
        records[at]["scores"][0]["cautions"] = ["few samples"]
    assert f"Read with care: {HEADLINE}: few samples (2 runs)." in board(records).captions
    assert not any("Read with care" in line for line in board(five(a=100)).captions)


def test_the_error_of_scoring_a_finite_sample_stands_beside_and_moves_nothing():
    records, bare = five(a=100, b=200), five(a=100, b=200)
    for at, made in enumerate(records):
        made["scores"][0] |= {
            "sampling_error": {"value": 1.0 + at, "method": "first order", "groups": None},
            "parts": {"0": 90.0, "1": 110.0},
        }
    table, plain = board(records), board(bare)
    scores = table.scores[table.scores["column"] == HEADLINE]
    assert list(scores["sampling_error"]) == [float(at) for at in range(1, 11)]
    assert list(scores["parts"]) == [{"0": 90.0, "1": 110.0}] * 10
    (said,) = set(table.captions) - set(plain.captions)
    assert f"{HEADLINE} 5.5." in said and "the spread over seeds contains it already" in said and "±" not in said
    assert table.frame.equals(plain.frame) and plain.scores["sampling_error"].isna().all()


def test_null_scores_fail_and_skipped_metrics_are_missing():
    gone, skipped = record("gone", 0), record("skipped", 0)
    gone["scores"][0]["value"] = None
    skipped["scores"][0].update(value=None, skipped="too few samples")
    made = board([*rows(a=[1.0]), gone, skipped])
    assert row(made, "gone")["diverged"] == 1
    assert row(made, "skipped")["section"] == "skipped" and row(made, "skipped")["reason"] == "too few samples"


def test_a_headline_that_is_not_finite_is_a_failure_and_drops_no_seed():
    records = five(a=100, b=105)
    infinite = {"value": None, "skipped": "the value is inf", "not_finite": True}
    records[0]["scores"][0] |= infinite
    records[6]["scores"][1] |= infinite  # another column
    scale = scale_records()
    scale[-1]["scores"][0] |= infinite
    made = board([*records, *scale])
    assert row(made, "a")[["n", "diverged"]].tolist() == [5, 1] and np.isnan(row(made, "a")["low"])
    assert row(made, "a")["reason"] == "the value is inf" and "✗: diverged" in " ".join(made.captions)
    assert row(made, "b")[["n", "diverged"]].tolist() == [5, 0]
    assert row(made, SCALE["ceiling"][0])["diverged"] == 0
    for made in records[1:3]:
        made["scores"][0] |= infinite
    assert list(board(records).section("unranked")["label"]) == ["a"]


def unmeasured(made, column, reason):
    for mine in made["scores"]:
        if mine["column"] == column:
            mine.update(value=None, skipped=reason)
    return made


def test_a_column_without_a_value_is_told_of_with_the_reason():
    few = "subsets of 1000 from 500 samples"
    made = board([unmeasured(made, OTHERS[0], few) for made in [*rows(a=[1.0, 1.1], b=[2.0]), *scale_records()]])
    assert f"Not measured: {OTHERS[0]} ({few})." in made.captions
    column = next(column for column in made.columns if column.name == OTHERS[0])
    assert not column.positive and column.title == f"{OTHERS[0]}/10k", "as its metric declares it"
    one = rows(a=[1.0, 1.1, 1.2])
    made = board([unmeasured(one[0], OTHERS[0], few), *one[1:]])
    assert not any("Not measured" in line for line in made.captions), "one seed has it, the cell says how many"
    made = board([unmeasured(unmeasured(made, OTHERS[0], few), OTHERS[2], "no labels") for made in rows(a=[1.0])])
    assert f"Not measured: {OTHERS[0]} ({few}); {OTHERS[2]} (no labels)." in made.captions


def test_scale_rows_stand_where_every_other_run_was_lost():
    lost = [record(label, 0, None, "oom", reason="no memory") for label in ("a", "b")]
    made = board([*lost, *scale_records()])
    assert list(made.frame["section"]) == ["unranked"] * 2 + ["scale"] * 4
    assert made.scores["value"].notna().sum() == 8
    made = board(lost)
    assert list(made.frame["section"]) == ["unranked"] * 2


def test_levels():
    collapsed = rows(collapsed=[60.0, 61.0])
    for made in collapsed:
        made["sanity"]["last-ema"]["histogram"] = [1.0] + [0.0] * 9
    made = board(rows(good=[60.0, 70.0], split=[60.0, 90.0], poor=[340.0, 360.0]) + collapsed + scale_records())
    found = {label: row(made, label)["level"] for label in ("good", "split", "poor", "collapsed", "flat")}
    assert found == {
        "good": "learnt", "split": "readable", "poor": "", "collapsed": "readable", "flat": ""
    }  # fmt: skip


def test_a_level_that_cannot_be_a_number_is_left_out():
    records = rows(good=[60.0, 70.0]) + scale_records()
    for made in records:
        made["suite"]["levels"]["absurd"] = {"below": 10**400}
    assert row(board(records), "good")["level"] == "learnt"


@pytest.mark.filterwarnings("error")
def test_absurd_numbers_say_nothing_and_break_nothing():
    made = board(rows(a=[1e-300, 1.0, 1e300], b=[1e-300, 1.0, 1e290]))
    assert any(line.startswith("Smallest detectable ratio: none, with 80 % power") for line in made.captions)
    raw = board(rows(a=[-1e308, 1.7e308, 1.6e308], b=[1e80, 1.02e80, 1.01e80], c=[4.0, 5.0, 6.0]))
    assert dict(zip(raw.pairs["test"], raw.pairs["better"], strict=True)) == {"permutation": "", "welch": "c"}


def test_throughput_of_a_shared_device_is_left_out():
    records = rows(a=[1.0, 2.0, 3.0])
    records[0]["throughput"].update(shared_device=True, images_per_second=1.0)
    assert row(board(records), "a")["images_per_second"] == 1458.5
    records[1]["throughput"]["shared_device"] = records[2]["throughput"]["shared_device"] = True
    assert np.isnan(row(board(records), "a")["images_per_second"])


def test_scores_at_or_below_zero_are_treated_raw():
    made = board(rows(a=[0.0, 1.0, 2.0], b=[5.0, 6.0, 7.0]))
    assert row(made, "a")["centre"] == 1.0 and not row(made, "a")["log"]
    assert "arithmetic" in " ".join(made.captions)


def test_neither_torch_nor_plugins_are_imported():
    code = (
        "import sys, ganbench.rank, ganbench.publish; print([m for m in ('torch', 'ganbench_zoo') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_that_diverged_shows_its_last_good_look():
    headline = record("a")["suite"]["headline"]
    looks = [{"cycle": at, "column": headline, "value": v, "n": 500} for at, v in ((75, 231.0), (150, 198.0))]
    looks.append({"cycle": 225, "column": headline, "value": None, "n": 500})
    lost = record("a", 1, None, "diverged", reason="not finite at cycle 240", looks=looks)
    made = board([record("a"), lost])
    reason = made.frame.set_index("label").loc["a", "reason"]
    assert reason == f"not finite at cycle 240; the last look at cycle 150 gave {headline} 198 (val, 500 samples)"


def test_a_run_that_went_on_by_force_is_told_of():
    forced = [{"cycle": 7, "differences": {"torch": ["2.13", "2.14"], "processor": ["a", "b"]}}]
    made = board([record("a"), record("a", 1, forced=forced), record("b")])
    lines = [line for line in made.captions if "by force" in line]
    assert lines == ["a: gone on by force after a change of processor, torch, so not bit for bit."]


def test_the_caption_tells_whether_ranks_are_permuted_exactly():
    for seeds, said in ((4, "by exact permutation of ranks."), (80, "by permutation of ranks (its normal limit above")):
        failed = [record("a", seeds, None, "diverged")]
        (made,) = from_records([*rows(a=[*range(30, 30 + seeds)], b=[*range(50, 50 + seeds)]), *failed])
        assert f"pairs with a failed seed {said}" in " ".join(made.captions)
