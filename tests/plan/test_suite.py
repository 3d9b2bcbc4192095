"""A suite file: what a good one gives, and the one line that each mistake in a bad one gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.errors import UsageError
from ganbench.plan.suite import EntrySet, parse_seeds, read_suite

GOOD = """
title = "Points"
version = 3
seed = 7
dataset = "ring"
extractor = "eye"
metrics = ["fd", "kid"]
headline = "fd/eye"
scale = ["real"]
default_tier = "long"
recipe = { lr = 0.1 }
levels = { readable = { below_share_of_degenerate = 0.5 } }

[tiers.quick]
budget = { real_images = 1_000 }
seeds = 2
entries = [{ architecture = "mlp", loss = ["a", "b"], regularizers = "r1", recipe = { width = 8 } }]

[tiers.long]
budget = { seconds = 1.5 }
seeds = [4, 2, 4]
ranks = false
table = "as published"
samples = 50
looks = { count = 3, samples = 20 }
params = { kid = { subsets = 3 } }
offline = "dots"
seconds_per_run = 3
extra_extractor = ["big"]
entries = [{ preset = "p" }, { game = "g" }]
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(text)
    return file


def test_a_good_one(tmp_path: Path) -> None:
    suite = read_suite(written(tmp_path, GOOD))
    assert (suite.name, suite.title, suite.version, suite.seed) == ("mine", "Points", 3, 7)
    assert (suite.datasets, suite.extractors, suite.metrics) == ({"A": "ring"}, ("eye",), ("fd", "kid"))
    quick, long = suite.tier("quick"), suite.tier(None)
    assert (quick.counter, quick.amount, quick.seeds, quick.ranks) == ("real_images", 1000, (0, 1), True)
    assert (quick.samples, quick.looks, quick.offline, quick.table) == (10_000, 0, None, "reduced")
    assert quick.entries == (EntrySet(("mlp",), ("a", "b"), ("r1",), recipe={"width": 8}),)
    assert (long.name, long.counter, long.amount, long.seeds) == ("long", "seconds", 1.5, (4, 2))
    assert (long.looks, long.look_samples, long.offline, long.extra_extractors) == (3, 20, "dots", ("big",))
    assert [(e.preset, e.game) for e in long.entries] == [("p", None), (None, "g")]
    assert read_suite(written(tmp_path, GOOD), "other").name == "other"
    with pytest.raises(UsageError, match="suite 'mine' has no tier 'quik'; did you mean quick"):
        suite.tier("quik")


MISTAKES = {
    "unknown key": ("seed = 7", "sead = 7", "unknown key 'sead'; did you mean seed"),
    "unknown key of a tier": ("seeds = 2", "seeds = 2\nsample = 3", "tier 'quick': unknown key 'sample'; did you mean"),
    "unknown key of looks": ("count = 3", "counts = 3", "tier 'long', 'looks': unknown key 'counts'"),
    "unknown key of an entry": ('loss = ["a", "b"]', 'loss = "a", los = "b"', "entry 1: unknown key 'los'"),
    "wrong type": ("version = 3", 'version = "3"', "'version' must be a whole number, not '3'"),
    "truth for a number": ("version = 3", "version = true", "'version' must be a whole number, not True"),
    "number for a name": ('["fd", "kid"]', '["fd", 3]', "'metrics' must hold names"),
    "lacking key": ("version = 3", "", "lacks the key 'version'"),
    "number for a data set": ('dataset = "ring"', "dataset = { A = 1 }", "'dataset' must be a name, or a table"),
    "no data set": ('dataset = "ring"', "dataset = {}", "'dataset' must be a name, or a table"),
    "unknown counter": ("real_images", "epochs", "'budget' names one of real_images"),
    "two counters": ("{ seconds = 1.5 }", "{ seconds = 1, real_images = 2 }", "'budget' names one of"),
    "no counter": ("{ seconds = 1.5 }", "{}", "'budget' names one of"),
    "no budget": ("{ seconds = 1.5 }", "{ seconds = 0 }", "must be a positive number, not 0"),
    "endless budget": (
        "{ seconds = 1.5 }",
        "{ seconds = inf }",
        "budget.seconds' must be a number up to 9,007,199,254,740,991, not inf",
    ),
    "budget of nothing": (
        "{ seconds = 1.5 }",
        "{ seconds = nan }",
        "budget.seconds' must be a number up to 9,007,199,254,740,991, not nan",
    ),
    "budget in words": ("{ seconds = 1.5 }", '{ seconds = "1h" }', "must be a positive number, not '1h'"),
    "no seeds": ("seeds = 2", "seeds = 0", "'seeds' must be 1 to 10,000, not 0"),
    "empty seeds": ("[4, 2, 4]", "[]", "'seeds' must be a count or a list of whole numbers"),
    "negative seed": ("[4, 2, 4]", "[-1]", "'seeds' must be a count or a list of whole numbers"),
    "seeds in words": ("seeds = 2", 'seeds = "0..4"', "'seeds' must be a whole number or a list"),
    "unknown table": ('"as published"', '"published"', "'table' must be one of reduced, as published, tuned"),
    "no samples": ("samples = 50", "samples = 0", "'samples' must be at least 1, not 0"),
    "no look samples": ("samples = 20", "samples = 0", "'looks.samples' must be at least 1, not 0"),
    "fewer looks than none": ("count = 3", "count = -3", "'looks.count' must be at least 0, not -3"),
    "looks without end": ("count = 3", "count = 3_000_000_000", "'looks.count' must be at most 2,147,483,648"),
    "samples without end": ("samples = 50", "samples = 3_000_000_000", "'samples' must be at most 2,147,483,648"),
    "params without a table": ("kid = { subsets = 3 }", "kid = 3", "'params.kid' must be a table"),
    "no entries": ('[{ preset = "p" }, { game = "g" }]', "[]", "tier 'long': 'entries' is empty; add one, such as"),
    "a level in words": ("{ below_share_of_degenerate = 0.5 }", '"good"', "level 'readable': expected a table of cond"),
    "a level of nothing": ("{ below_share_of_degenerate = 0.5 }", "{}", "level 'readable': expected a table of cond"),
    "a misspelt condition": ("below_share_of_degenerate", "belo", "unknown condition 'belo'; did you mean below"),
    "another condition": ("below_share_of_degenerate", "recall_atleast", "unknown condition 'recall_atleast'; did you"),
    "a share of nobody": ("below_share_of_degenerate", "below_share_of_", "unknown condition 'below_share_of_'"),
    "a share in words": (
        "degenerate = 0.5",
        'degenerate = "half"',
        "'below_share_of_degenerate' must be a number, not",
    ),
    "true below": ("below_share_of_degenerate = 0.5", "below = true", "'below' must be a number, not True"),
    "a number for a role": (
        "below_share_of_degenerate",
        "below_role",
        "'below_role' must be the role of a row of the ",
    ),
    "entry of nothing": ('{ preset = "p" }', "{}", "tier 'long', entry 1: give an architecture and a loss, or"),
    "half an entry": ('{ preset = "p" }', '{ loss = "a" }', "entry 1: give an architecture and a loss, or"),
    "two wholes": ('{ preset = "p" }', '{ preset = "p", game = "g" }', "entry 1: give an architecture"),
    "whole and part": ('{ preset = "p" }', '{ preset = "p", loss = "a" }', "entry 1: give an architecture"),
    "entry in words": ('{ preset = "p" }', '"p"', "entry 1: expected a table"),
    "unknown default tier": ('default_tier = "long"', 'default_tier = "lang"', "has no tier 'lang'; did you mean long"),
    "no TOML": ("seed = 7", "seed 7", "not valid TOML"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(tmp_path: Path, mistake: str) -> None:
    old, new, line = MISTAKES[mistake]
    assert GOOD.count(old) == 1
    with pytest.raises(UsageError) as error:
        read_suite(written(tmp_path, GOOD.replace(old, new)))
    assert line in str(error.value) and "\n" not in str(error.value)
    assert "mine" in str(error.value), "the file is named"


def test_no_tier(tmp_path: Path) -> None:
    head = GOOD.partition("[tiers.quick]")[0].replace('default_tier = "long"', "tiers = {}")
    with pytest.raises(UsageError, match=r"mine\.toml: has no tier; add a table \[tiers\.quick\]"):
        read_suite(written(tmp_path, head))
    with pytest.raises(UsageError, match=r"mine\.toml: lacks the key 'tiers'"):
        read_suite(written(tmp_path, head.replace("tiers = {}", "")))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    for file in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(UsageError, match="cannot be read") as error:
            read_suite(file)
        assert str(file) in str(error.value)
    (tmp_path / "latin.toml").write_bytes(b'title = "caf\xe9"')
    with pytest.raises(UsageError, match=r"latin\.toml: not valid TOML"):
        read_suite(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("5", (5,)),
        ("0..4", (0, 1, 2, 3, 4)),
        ("0,3", (0, 3)),
        ("3, 0..1,3", (3, 0, 1)),
        ("2..2", (2,)),
        ("123456789012345678", (123456789012345678,)),
    ],
)
def test_seeds_are_read(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "expected 5"),
        ("five", "expected 5"),
        ("-1", "expected 5"),
        ("1.5", "expected 5"),
        ("0..", "expected 5"),
        ("..4", "expected 5"),
        ("0...4", "expected 5"),
        ("1,,2", "expected 5"),
        ("²", "expected 5"),
        ("9" * 5000, "expected 5"),
        ("4..2", r"runs backwards; did you mean 2\.\.4\?"),
        ("0..10000", "more than 10,000 seeds"),
        ("0..999999999999999", "more than 10,000 seeds"),
    ],
)
def test_seeds_that_are_none(text: str, line: str) -> None:
    with pytest.raises(UsageError, match=line):
        parse_seeds(text)
