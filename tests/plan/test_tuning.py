"""A search space: what it draws, that every entry is given the same, and what a tuned table has to say of itself."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.errors import UsageError
from ganbench.plan.build import Plan
from ganbench.plan.suite import read_suite
from ganbench.plan.tuning import read_space

SPACE = """
trials = 400
[space]
lr      = { low = 1e-4, high = 1e-2, log = true }
weight  = { low = 0.0, high = 1.0 }
d_steps = { low = 1, high = 3 }
width   = { low = 1, high = 64, log = true }
betas   = [[0.0, 0.9], [0.5, 0.999]]
"""
TUNING = """
[tiers.quick.tuning]
trials = 2
seeds = [1000]
headline = "t-distance/t-eye"
split = "val"
data = "t-points"
space = { lr = [0.1, 0.2] }
"""


def test_trials_are_spread_over_the_space(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(SPACE)
    space = read_space(file)
    assert space.seeds == (1000,)
    own, *drawn = space.draw(seed=3)
    assert own == {} and len(drawn) == 399
    rates = [trial["lr"] for trial in drawn]
    assert 1e-4 <= min(rates) < 1.1e-4 and 9e-3 < max(rates) <= 1e-2
    assert math.log10(statistics.median(rates)) == pytest.approx(-3, abs=0.15), "as many below 1e-3 as above"
    assert statistics.median(trial["weight"] for trial in drawn) == pytest.approx(0.5, abs=0.08)
    assert all(rate == float(f"{rate:.3g}") for rate in rates), "what a table shows is what was run"
    steps = [trial["d_steps"] for trial in drawn]
    assert {type(step) for step in steps} == {int}
    assert all(100 < steps.count(step) < 167 for step in (1, 2, 3)), "the ends as often as the middle"
    assert min(t["width"] for t in drawn) == 1 and max(t["width"] for t in drawn) > 56
    assert {trial["betas"] for trial in drawn} == {(0.0, 0.9), (0.5, 0.999)}
    assert space.draw(3) == [own, *drawn] != space.draw(4)


def test_another_key_leaves_the_draws_of_the_others_alone(tmp_path: Path) -> None:
    file, other = tmp_path / "space.toml", tmp_path / "other.toml"
    file.write_text(SPACE)
    other.write_text(SPACE.replace("trials = 400", "trials = 5\nseeds = [7, 8]") + "momentum = [0.0, 0.9]\n")
    space = read_space(other)
    assert space.seeds == (7, 8)
    for trial, wider in zip(read_space(file).draw(0)[:5], space.draw(0), strict=True):
        assert {key: value for key, value in wider.items() if key != "momentum"} == trial


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("trials = 3", "lacks the key 'space'"),
        ("trials = 3\n[space]", "'space' is empty; add a key"),
        ("[space]\nlr = [1, 2]", "lacks the key 'trials'"),
        ("trials = 1\n[space]\nlr = [1, 2]", "'trials' must be from 2 (the first is the own recipe) to 10,000"),
        ("trials = 3\nseed = 1\n[space]\nlr = [1, 2]", "unknown key 'seed'; did you mean seeds?"),
        ("trials = 3\nseeds = 10_001\n[space]\nlr = [1, 2]", "'seeds' must be 1 to 10,000, not 10001"),
        ("trials = 3\nseeds = []\n[space]\nlr = [1, 2]", "'seeds' must be a count or a list of whole numbers"),
        ("trials = 3\n[space]\nlr = 0.1", "'lr': expected a list of values, or { low = …, high = … }, not 0.1"),
        ("trials = 3\n[space]\nlr = [0.1]", "'lr': a list holds two or more values to choose from, not [0.1]"),
        ("trials = 3\n[space]\nlr = { low = 1, hihg = 2 }", "'lr': lacks the key 'high'; is 'hihg' meant?"),
        ("trials = 3\n[space]\nlr = { low = 2, high = 2 }", "'lr': 'low' must be below 'high', and 2 is not below 2"),
        ("trials = 3\n[space]\nlr = { low = 0.0, high = 2.0, log = true }", "'low' must be above 0 on a logarithmic"),
        ("trials = 3\n[space", "not valid TOML"),
    ],
)
def test_a_space_that_is_none(text: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as refusal:
        read_space(file)
    assert str(refusal.value).startswith(f"search space {file}") and reason in str(refusal.value)


def test_a_tuned_table_says_how_and_trains_with_fresh_seeds(
    planned: Callable[..., Plan], suite_text: str, tmp_path: Path
) -> None:
    entries = 'entries = [{ architecture = "t-small", loss = "t-plain" }]\n'
    plan = planned(f'table = "tuned"\n{entries}{TUNING}')
    assert plan.runs[0].suite["tuning"]["space"] == {"lr": [0.1, 0.2]}
    assert "split" not in plan.runs[0].suite and "split" not in plan.runs[0].score, "older runs are not stale for it"
    with pytest.raises(UsageError, match="seed 1000 was one of the trials that chose the recipes: take fresh ones"):
        planned(f'table = "tuned"\n{entries}{TUNING}', seeds=(0, 1000))
    for tier in (f'table = "tuned"\n{entries}', f"{entries}{TUNING}"):
        file = tmp_path / "claimed.toml"
        file.write_text(suite_text + tier)
        with pytest.raises(UsageError, match="a table is \"tuned\" where the key 'tuning' says how; `ganbench tune`"):
            read_suite(file)


def test_the_runs_of_each_entry(planned: Callable[..., Plan]) -> None:
    plan = planned('entries = [{ architecture = ["t-pixels", "t-small", "t-small"], loss = "t-plain" }]\n')
    assert [[(r.entry["architecture"], r.seed) for r in runs] for runs in plan.entries] == [
        [("t-pixels", 0)],
        [("t-small", 0), ("t-small", 1)],
        [("t-small", 0), ("t-small", 1)],
    ]
    assert [r.run_id for r in plan.entries[1]] == [r.run_id for r in plan.entries[2]]
    assert plan.entries[0][0].skip and len(plan.runs) == 2 + 2 + 1
