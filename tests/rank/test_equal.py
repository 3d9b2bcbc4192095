"""Equal spend: which look counts for each entry, when there is no table, and what seeds that failed are there."""

import math
import random
from pathlib import Path

import numpy as np
import pytest
from made_records import HEADLINE, record, rows, scale_records
from scipy import stats

from ganbench.errors import UsageError
from ganbench.rank import from_records, leaderboards

RESULTS = Path(__file__).parents[2] / "results"


def run(label, seed, at, cycles=100, updates=1, flops=10, **changes):
    """A run of so many cycles, each with some updates of the generator and FLOPs. at: cycle -> value of a look."""
    looks = [
        {"cycle": cycle, "real_images": 64 * cycle, "seconds": 1.0, "column": HEADLINE, "value": value, "n": 500,
         "split": "val", "fingerprint": "of the looks"}
        for cycle, value in at.items()
    ]  # fmt: skip
    counters = {"cycles": cycles, "generator_steps": updates * cycles, "seconds": 1.0}
    made = {"looks": looks, "counters": counters, "flops_per_cycle": flops, "last_step": cycles}
    return record(label, seed, 100.0, **{**made, **changes})


def board(records, *spends):
    (made,) = from_records(records, spends=spends or None)
    return made


def lines(made, spend="updates"):
    found = made.equal.rows
    return {line["label"]: line for line in found[found["spend"] == spend].to_dict("records")}


def slow(label="slow", seeds=3, value=70.0):
    """An entry that ends with 50 updates and 1000 FLOPs; so the common updates are 50."""
    return [run(label, seed, {25: 90.0, 50: value + seed}, cycles=50, flops=20) for seed in range(seeds)]


def test_each_seed_counts_by_its_last_look_at_or_below_the_common_spend():
    quick = [run("quick", seed, {20: 80.0, 40: 60.0 + seed, 60: 50.0, 100: 1.0}) for seed in range(3)]
    made = board([*slow(), *quick])
    assert [(common.spend, common.amount) for common in made.equal.tables] == [("updates", 50)]
    assert list(lines(made)) == ["quick", "slow"]
    one = lines(made)["quick"]
    assert (one["at"], one["next"], one["end"], one["n"], one["values"]) == (40, 60, 100, 3, (60.0, 61.0, 62.0))
    low, high = np.exp(stats.t.interval(0.95, 2, np.log([60, 61, 62]).mean(), stats.sem(np.log([60, 61, 62]))))
    assert one["centre"] == pytest.approx((60 * 61 * 62) ** (1 / 3))
    assert (one["low"], one["high"]) == pytest.approx((low, high))
    assert (one["median"], one["next_value"]) == pytest.approx((61, 50.0))
    other = lines(made)["slow"]
    assert (other["at"], other["end"], other["values"]) == (50, 50, (70.0, 71.0, 72.0))
    assert math.isnan(other["next"]) and math.isnan(other["next_value"])
    assert dict(zip(made.equal.seeds["label"], made.equal.seeds["cycle"], strict=True)) == {"quick": 40, "slow": 50}
    said = " ".join(made.equal.captions)
    assert "500 samples, split val; not to be compared" in said and "nothing is ranked" in said
    assert "At equal FLOPs the table is the leaderboard itself: its entries end at 1 k." in said


def test_updates_are_those_of_the_generator_and_flops_those_of_a_cycle_for_each():
    twice = [run("twice", seed, {10: 9.0, 20: 8.0, 30: 7.0, 100: 1.0}, updates=2) for seed in range(3)]
    heavy = [run("heavy", seed, {30: 5.0, 60: 4.0, 100: 2.0}, flops=25) for seed in range(3)]
    made = board([*twice, *heavy])
    assert [(common.spend, common.amount) for common in made.equal.tables] == [("updates", 100), ("flops", 1000)]
    by_updates, by_flops = lines(made), lines(made, "flops")
    assert (by_updates["twice"]["at"], by_updates["twice"]["median"]) == (60, 7.0)
    assert (by_updates["heavy"]["at"], by_updates["heavy"]["median"]) == (100, 2.0)
    assert (by_flops["twice"]["at"], by_flops["twice"]["median"]) == (1000, 1.0)
    assert (by_flops["heavy"]["at"], by_flops["heavy"]["median"], by_flops["heavy"]["next"]) == (750, 5.0, 1500)


def test_a_look_within_one_per_cent_counts_as_at_the_common_spend():
    for cycle, at in ((50, 50), (51, 51), (52, 10)):
        late = [run("late", seed, {10: 90.0, cycle: 20.0, 200: 1.0}, cycles=200) for seed in range(3)]
        some = [run("slow", seed, {50: 70.0}, cycles=51) for seed in range(3)]
        assert lines(board([*some, *late]))["late"]["at"] == at
    near = [run("near", seed, {51: 60.0}, cycles=101) for seed in range(3)]
    close = board([*near, *(run("a", seed, {51: 60.0, 100: 50.0}) for seed in range(3))])
    assert not close.equal.tables and "its entries end at 100 to 101." in close.equal.captions[0]


def test_random_tables_follow_from_their_looks():
    random.seed(11)
    for _ in range(20):
        records, ends, looks = [], {}, {}
        for label in "abcd":
            cycles, updates, flops = random.randint(20, 200), random.randint(1, 5), random.randint(1, 50)
            at = sorted({*random.sample(range(1, cycles), 5), cycles})
            for seed in range(3):
                looks[label, seed] = {cycle: random.uniform(1, 90) for cycle in at}
                records.append(run(label, seed, looks[label, seed], cycles, updates, flops))
            ends[label] = {"updates": (cycles * updates, updates), "flops": (cycles * flops, flops)}
        made = board(records)
        for spend in {common.spend for common in made.equal.tables}:
            least = min(end[spend][0] for end in ends.values())
            for label, line in lines(made, spend).items():
                each = ends[label][spend][1]
                past = [[v for c, v in looks[label, seed].items() if c * each <= 1.01 * least] for seed in range(3)]
                assert line["values"] == tuple(values[-1] for values in past if values)
                assert math.isnan(line["median"]) or line["median"] == np.median([values[-1] for values in past])
            told = [line["median"] for line in lines(made, spend).values() if line["n"]]
            assert told == sorted(told)


def test_an_entry_whose_first_look_comes_later_has_no_value_and_is_last():
    early = [run("early", seed, {30: 9.0, 100: 1.0}) for seed in range(3)]
    late = [run("late", seed, {60: 5.0, 100: 2.0}) for seed in range(3)]
    found = lines(board([*late, *early, *slow()]))
    assert list(found) == ["early", "slow", "late"]
    assert (found["late"]["n"], found["late"]["values"], found["late"]["next"]) == (0, (), 60)
    assert math.isnan(found["late"]["centre"]) and math.isnan(found["late"]["at"])
    made = board([*late, *slow()])
    assert not made.equal.tables and made.equal.rows.empty
    assert made.equal.captions[0] == (
        "No table at equal generator updates (50, the least that an entry ends at): looks of those that go on begin at "
        "60."
    )


def test_a_seed_that_broke_before_is_the_worst_and_one_that_breaks_later_counts_by_its_look():
    before = run("a", 1, {20: 3.0}, cycles=40, status="diverged", scores=[], last_step=38)
    after = run("a", 2, {20: 50.0, 40: 30.0}, cycles=70, status="diverged", scores=[], last_step=66)
    good = [run("a", seed, {20: 50.0, 40: 20.0, 100: 5.0}) for seed in (0, 3, 4)]
    one = lines(board([*good, before, after, *slow()]))["a"]
    assert one["statuses"] == ("completed", "diverged", "completed", "completed", "completed")
    assert one["diverged"] == 1 and one["median"] == 20.0 and math.isnan(one["low"])
    assert one["centre"] == pytest.approx((20**3 * 30) ** 0.25) and one["end"] == 100
    unheard = record("a", 5, None, "diverged", counters={})
    worst = lines(board([*good, before, after, unheard, *slow()]))["a"]
    assert (worst["n"], worst["diverged"], worst["median"]) == (6, 2, 25.0)
    assert any(line.startswith("✗: diverged by then") for line in board([*good, before, *slow()]).equal.captions)


def test_entries_without_looks_or_counts_are_left_out_and_named():
    early = [run("early", seed, {30: 9.0, 100: 1.0}) for seed in range(3)]
    blind = [run("blind", seed, {}, cycles=10) for seed in range(3)]
    odd = [run("odd", seed, {5: 1.0}, counters={"cycles": 10, "generator_steps": 13}) for seed in range(3)]
    made = board([*early, *slow(), *blind, *odd, *scale_records()])
    assert list(lines(made)) == ["early", "slow"] and made.equal.tables[0].amount == 50
    named = "Not compared at equal generator updates, for lack of early looks or counts: blind, odd."
    assert named in made.equal.captions
    old = [run("old", seed, {30: 9.0, 100: 1.0}, flops=None) for seed in range(3)]
    alone = board([*early, *old], "flops")
    assert alone.equal.captions == ("No table at equal FLOPs: fewer than two entries of which they are known.",)
    assert board(rows(a=[1.0, 2.0, 3.0], b=[1.0, 2.0, 3.0])).equal.captions == (), "nobody looked or counted"


def test_without_looks_it_is_still_told_whether_ends_are_equal():
    blind = [run(label, seed, {}, flops=flops) for label, flops in (("a", 1), ("b", 3)) for seed in range(2)]
    assert board(blind).equal.captions == (
        "At equal generator updates the table is the leaderboard itself: its entries end at 100.",
        "No table at equal FLOPs, of which entries end at 100 to 300: fewer than two have early looks at distance/net.",
    )


def test_two_seeds_have_their_values_and_a_score_that_reaches_zero_is_taken_raw():
    early = [run("early", seed, {30: seed - 1.0, 100: 1.0}) for seed in range(3)]
    found = lines(board([*early, *slow(seeds=2)]))
    assert found["early"]["centre"] == pytest.approx(0.0) and not found["early"]["log"]
    assert found["slow"]["values"] == (70.0, 71.0) and math.isnan(found["slow"]["low"])


def test_higher_may_be_better():
    records = [*slow(value=20.0), *(run("quick", seed, {40: 60.0, 100: 1.0}) for seed in range(3))]
    for each in records:
        each["scores"][0]["direction"] = "higher"
    found = lines(board(records))
    assert list(found) == ["quick", "slow"] and found["quick"]["median"] == 60.0


def test_only_what_is_asked_for_is_made():
    records = [*slow(), *(run("quick", seed, {40: 60.0, 100: 1.0}, flops=22) for seed in range(3))]
    assert {common.spend for common in board(records).equal.tables} == {"updates", "flops"}
    assert [common.spend for common in board(records, "flops").equal.tables] == ["flops"]
    (none,) = from_records(records, spends=[])
    assert not none.equal.tables and not none.equal.captions and none.equal.seeds.empty
    with pytest.raises(UsageError, match="nothing to make equal is called 'flop'; did you mean flops"):
        from_records(records, spends=["flop"])


def test_the_published_quick_table_compares_at_the_flops_of_the_smallest_network():
    made = leaderboards([RESULTS / "mnist-quick"])[0]
    assert [(common.spend, common.amount) for common in made.equal.tables] == [("flops", 464_781_312 * 625)]
    found = lines(made, "flops")
    assert found["mlp · lsgan"]["at"] == found["mlp · lsgan"]["end"] == 464_781_312 * 625
    assert found["dcgan · hinge"]["at"] == 720_928_768 * 313 and found["dcgan · hinge"]["next"] == 720_928_768 * 469
    assert found["dcgan · wgan-gp"]["at"] == 4_081_315_840 * 63
    assert next(iter(found)) == "mlp · lsgan" and len(found) == 8
    assert "(125, the least that an entry ends at): looks of those that go on begin at 157" in made.equal.captions[-1]
