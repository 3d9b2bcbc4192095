"""Time to quality: between which looks a target was first reached, what never reached it, and what seconds compare."""

import math
import random

import numpy as np
import pytest
from made_records import HEADLINE, record, rows, scale_records

from ganbench.errors import UsageError
from ganbench.rank import from_records


def looks(*values, cycle=10):
    """Looks of a run that takes 64 real images a cycle and two seconds."""
    return [
        {"cycle": cycle * at, "real_images": 64 * cycle * at, "seconds": 2.0 * cycle * at, "column": HEADLINE,
         "value": value, "n": 500, "split": "val", "fingerprint": "of the looks"}
        for at, value in enumerate(values, 1)
    ]  # fmt: skip


def run(label, seed, *values, **changes):
    counters = {"cycles": 10 * len(values), "generator_steps": 20 * len(values), "real_images": 1, "seconds": 1.0}
    return record(label, seed, 100.0, **{"looks": looks(*values), "counters": counters, **changes})


def board(records, *targets):
    (made,) = from_records(records, targets or None)
    return made


def one(made, label="a"):
    (line,) = made.times.rows[made.times.rows["label"] == label].to_dict("records")
    return line


def bounds(line):
    return [(line[f"{name}_after"], line[name]) for name in ("real_images", "generator_steps", "seconds")]


def test_a_target_is_reached_between_two_looks():
    made = board([run("a", 0, 90, 50, 30), run("a", 1, 80, 40, 20), run("a", 2, 90, 70, 50)], "50")
    assert [one(made)[key] for key in ("n", "reached", "held", "bound", "target")] == [3, 3, 3, 50.0, ""]
    assert bounds(one(made)) == [(640, 1280), (20, 40), (20.0, 40.0)]
    assert list(made.times.seeds["real_images"]) == [1280, 1280, 1920]
    first = board([run("a", seed, 10, 5) for seed in range(3)], "50")
    assert bounds(one(first)) == [(0, 640), (0, 20), (0, 20.0)]


def test_the_median_is_that_of_all_seeds_with_those_that_never_reached_it_last():
    random.seed(3)
    for n in (3, 4, 5, 6):
        for _ in range(20):
            values = [[random.uniform(0, 100) for _ in range(4)] for _ in range(n)]
            line = one(board([run("a", seed, *found) for seed, found in enumerate(values)], "30"))
            at = [next((640 * (i + 1) for i, v in enumerate(found) if v <= 30), math.inf) for found in values]
            there = sum(map(math.isfinite, at))
            assert (line["n"], line["reached"]) == (n, there)
            if 2 * there > n:
                assert line["real_images"] == np.median(at)
                assert line["real_images_after"] == np.median([one - 640 for one in at])
            else:
                assert math.isnan(line["real_images"]) and math.isnan(line["seconds_after"])


def test_two_seeds_have_no_median():
    made = board([run("a", 0, 10), run("a", 1, 10)], "50")
    assert one(made)["reached"] == 2 and math.isnan(one(made)["real_images"])
    assert list(made.times.seeds["real_images"]) == [640, 640]
    assert "Fewer than 3 seeds: each seed's, in their order." in made.times.captions


def test_what_was_reached_and_lost_again_is_not_held():
    broke = run("a", 2, 40, 20, status="diverged", scores=[])
    made = board([run("a", 0, 40, 90, 30), run("a", 1, 90, 50, 30), broke], "50")
    assert list(made.times.seeds["held"]) == [False, True, False] and one(made)["held"] == 1
    assert list(made.times.seeds["real_images"]) == [640, 1280, 640]


def test_a_run_that_diverged_before_its_first_look_never_reached_it_and_a_lost_one_is_unknown():
    diverged = record("a", 2, None, "diverged")
    unknown = [record("a", 3, None, "oom", looks=looks(1)), record("a", 4, 100.0)]
    other = run("a", 5, 90, 10)
    other["looks"] = [{**look, "fingerprint": "measured otherwise"} for look in other["looks"]]
    line = one(board([run("a", 0, 90, 10), run("a", 1, 90, 10), diverged, *unknown, other], "50"))
    assert (line["n"], line["reached"], line["real_images"]) == (3, 2, 1280)


def test_seconds_compare_on_one_machine_with_nothing_beside_them():
    busy = {"images_per_second": 9.0, "shared_device": True}
    alone = [run("a", seed, 90, 10) for seed in range(3)]
    assert one(board(alone, "50"))["seconds"] == 40.0
    for odd in ({"throughput": busy}, {"environment": {"machine": "elsewhere"}}, {"environment": None}):
        made = board([*alone, *(run("b", seed, 90, 10, **odd) for seed in range(2)), run("b", 2, 90, 10)], "50")
        assert math.isnan(one(made, "b")["seconds"]) and one(made, "b")["real_images"] == 1280
        assert one(made)["seconds"] == 40.0 and made.times.seeds["seconds"].isna().sum() == 2
        assert any(line.startswith("Seconds are left out") for line in made.times.captions)
    nowhere = board([run("a", seed, 90, 10, environment={}) for seed in range(3)], "50")
    assert math.isnan(one(nowhere)["seconds"]), "no machine is named: they may come from anywhere"


def test_updates_of_the_generator_are_told_where_each_cycle_has_as_many():
    odd = {"cycles": 20, "generator_steps": 31, "real_images": 1, "seconds": 1.0}
    line = one(board([run("a", seed, 90, 10, counters=odd) for seed in range(3)], "50"))
    assert math.isnan(line["generator_steps"]) and line["real_images"] == 1280


def test_the_targets_are_the_levels_that_bound_the_headline_unless_others_are_asked_for():
    records = [*(run("a", seed, 300, 80, 70) for seed in range(3)), *scale_records()]
    made = board(records)
    assert [(target.name, target.bound) for target in made.times.targets] == [("learnt", 76.2), ("readable", 348.0)]
    learnt, readable = made.times.rows.to_dict("records")
    assert learnt["real_images"] == 1920 and readable["real_images"] == 640
    asked = board(records, "readable", "75", "1e-3")
    assert [(target.name, target.bound) for target in asked.times.targets] == [
        ("readable", 348.0), ("", 75.0), ("", 0.001)
    ]  # fmt: skip
    assert "No seed reached distance/net ≤ 0.001." in asked.times.captions
    assert from_records(records, [])[0].times.rows.empty and not from_records(records, [])[0].times.captions
    assert board(rows(a=[1.0, 2.0, 3.0]) + scale_records()).times.captions == (), "nobody looked"
    nothing = board(rows(a=[1.0, 2.0, 3.0]), "5").times.captions
    assert nothing == ("Time to quality: no run has an early look at distance/net.",)


def test_higher_may_be_better():
    made = [run("a", seed, 0.1, 0.4, 0.3) for seed in range(3)]
    for each in made:
        each["scores"][0]["direction"] = "higher"
    line = one(board(made, "0.35"))
    assert line["real_images"] == 1280 and line["held"] == 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("larnt", "'larnt' is no number and no level here; did you mean learnt"),
        ("nan", "'nan' is no number"),
        ("5", "which of distance/net, other/net"),
    ],
)
def test_a_target_that_no_table_can_have_is_refused(asked, said):
    other = run("b", 0, 90, suite={"id": "x", "headline": "other/net"})
    other["scores"][0]["column"] = "other/net"
    with pytest.raises(UsageError, match=said):
        from_records([run("a", 0, 90), other, *scale_records()], [asked])


def test_nothing_reaches_a_value_without_a_direction():
    made = run("a", 0, 90)
    made["scores"][0]["direction"] = "none"
    with pytest.raises(UsageError, match="no direction, so that nothing reaches '5'"):
        board([made], "5")
