"""Equal spend on every page: a small table for each spend that says what the leaderboard does not."""

import io
import json
import re

import pandas as pd
import pytest
from made_records import HEADLINE, record, rows, scale_records, write

from ganbench.cli import main
from ganbench.publish import publish, render
from ganbench.rank import from_records
from ganbench.verify import verify

HOSTILE = "=evil <b>|`x`"


def run(label, seed, at, cycles, flops=10**9, **changes):
    looks = [
        {"cycle": cycle, "real_images": 64 * cycle, "seconds": 1.0, "column": HEADLINE, "value": value, "n": 500,
         "split": "val"}
        for cycle, value in at.items()
    ]  # fmt: skip
    counters = {"cycles": cycles, "generator_steps": cycles, "seconds": 1.0}
    more = {"looks": looks, "counters": counters, "flops_per_cycle": flops, "last_step": cycles}
    return record(label, seed, 100.0 + seed, **{**more, **changes})


def made():
    """The common spends are 50 updates and 50 G FLOPs; one entry has its first look later than either."""
    short = [run("short", seed, {25: 90.0, 50: 40.0}, 50) for seed in range(3)]
    long = [run(HOSTILE, seed, {20: 300.0, 45: 31.0 + seed, 80: 20.0, 100: 3.0}, 100) for seed in range(2)]
    broke = run("broken", 2, {20: 30.0}, 40, status="diverged", scores=[])
    some = [run("broken", seed, {20: 90.0, 40: 80.0, 100: 70.0}, 100) for seed in range(2)]
    late = [run("late", seed, {60: 9.0, 100: 8.0}, 100) for seed in range(3)]
    return [*short, *long, *some, broke, *late, *scale_records()]


def cells(page, label):
    row = next(line for line in page.split("At equal spend,")[1].splitlines() if line.startswith(label))
    return re.split(r" {2,}", row.removeprefix(label).strip())


def test_a_row_says_its_value_and_where_its_looks_lie():
    page = render(from_records(made(), [], ["updates"]), width=160)
    assert "At equal spend, generator updates: 50" in page and "FLOPs" not in page
    assert cells(page, HOSTILE) == ["31.0 · 32.0", "2", "90 %", "160 %: 20.0 · 20.0", "200 %"]
    assert cells(page, "short") == ["40.0", "3", "100 %", "–", "100 %"]
    assert cells(page, "broken") == ["median 80.0 of 80.0 · 80.0 ·", "3", "80 %", "200 %", "200 %"], "✗ wraps"
    assert cells(page, "late") == ["–", "–", "–", "120 %: 9.0", "200 %"]
    order = [page.rindex(f"\n{label} ") for label in (HOSTILE, "short", "broken", "late")]
    assert order == sorted(order)


@pytest.mark.parametrize("format", ["md", "latex", "html"])
def test_pages_have_both_tables(format):
    page = render(from_records(made()), format)
    assert "generator updates: 50" in page and "FLOPs: 50 G" in page and "<b>" not in page
    assert (r"\label{tab:toys-full-equal}" in page) == (format == "latex")
    same = render(from_records([*made()[:3], *scale_records()]), format)
    assert "equal" not in same, "one entry alone has nobody to be compared with"
    assert "equal" not in render(from_records([*rows(a=[1.0, 2.0, 3.0], b=[1.0] * 3), *scale_records()]), format)


def test_json_has_both_frames():
    (table,) = json.loads(render(from_records(made()), "json"), parse_constant=pytest.fail)
    equal = table["equal"]
    assert equal["tables"] == [{"spend": "updates", "amount": 50.0}, {"spend": "flops", "amount": 50e9}]
    late = [line for line in equal["rows"] if line["label"] == "late"]
    assert [(line["centre"], line["next"]) for line in late] == [(None, 60.0), (None, 60e9)]
    broken = [line for line in equal["seeds"] if line["status"] == "diverged"]
    assert [(line["seed"], line["value"], line["end"]) for line in broken] == [(2, None, 40.0), (2, None, 40e9)]


def test_the_published_csv_has_a_line_for_each_seed_and_is_verified(tmp_path):
    publish([write(tmp_path / "runs", made())], tmp_path / "results")
    home = tmp_path / "results" / "toys-full"
    long = pd.read_csv(io.StringIO((home / "equal.csv").read_text("utf-8")))
    mine = long[(long["spend"] == "flops") & (long["label"] == "short")]
    assert list(mine["value"]) == [40.0] * 3 and list(mine["at"]) == [50e9] * 3 and set(mine["common"]) == {50e9}
    assert "'" + HOSTILE in set(long["label"]) and len(long) == 2 * 11
    assert 'href="equal.csv"' in (home / "index.html").read_text("utf-8")

    def about():
        return [f.what for f in verify(tmp_path / "results").findings if f.where.name == "equal.csv"]

    assert about() == []
    (home / "equal.csv").write_text((home / "equal.csv").read_text("utf-8").replace(",40.0,", ",39.0,"), "utf-8")
    assert len(about()) == 1 and "39.0" in about()[0]
    tiny = [run("tiny", seed, {5: 9.0}, 5) for seed in range(2)]
    publish([write(tmp_path / "tiny", tiny)], tmp_path / "results")
    assert not (home / "equal.csv").exists() and about() == [], "nobody has looks as early as its end"
    publish([write(tmp_path / "more", rows(b=[1.0]))], tmp_path / "bare")
    assert not (tmp_path / "bare" / "toys-full" / "equal.csv").exists()


def test_the_terminal_shows_them_only_where_they_are_asked_for(tmp_path, capsys):
    runs = str(write(tmp_path / "runs", made(), grid=False))
    said = {}
    for words in ((), ("--equal", "flops"), ("--equal", "updates", "--equal", "flops"), ("--format", "md")):
        with pytest.raises(SystemExit) as ended:
            main(["leaderboard", runs, *words])
        assert ended.value.code == 0
        said[words] = capsys.readouterr().out
    bare, one, both, every = said.values()
    assert "equal" not in bare and "FLOPs: 50 G" in one and "updates: 50" not in one
    assert all("FLOPs: 50 G" in page and "updates: 50" in page for page in (both, every))
    with pytest.raises(SystemExit) as ended:
        main(["leaderboard", runs, "--equal", "epochs"])
    assert ended.value.code == 2 and "updates" in capsys.readouterr().err
