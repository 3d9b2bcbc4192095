"""Time to quality on every page: a small table for each target that was reached, a range for each median."""

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


def run(label, seed, *values):
    looks = [
        {"cycle": 100 * at, "real_images": 6400 * at, "seconds": 3.5 * at, "column": HEADLINE, "value": value,
         "n": 500, "split": "val"}
        for at, value in enumerate(values, 1)
    ]  # fmt: skip
    counters = {"cycles": 300, "generator_steps": 300, "real_images": 19_200, "seconds": 10.5}
    return record(label, seed, 100.0 + seed, looks=looks, counters=counters)


def made():
    slow = [run(HOSTILE, 0, 300, 200, 90), run(HOSTILE, 1, 300, 200, 150), run(HOSTILE, 2, 300, 90, 400)]
    return [*(run("quick", seed, 90, 80, 70) for seed in range(3)), *slow, *scale_records()]


def shown(format, *targets):
    return render(from_records(made(), targets or None), format, width=160)


def cells(page, label):
    """Of a row of the first table of times."""
    row = next(line for line in page.split("Time to quality,")[1].splitlines() if line.startswith(label))
    return re.split(r" {2,}", row.removeprefix(label).strip())


def test_a_range_stands_for_each_median_and_a_count_for_those_that_never_reached_it():
    page = shown("text", "100")
    assert cells(page, "quick") == ["3 of 3", "3 of 3", "≤ 6.4 k", "≤ 100", "≤ 3.50"]
    assert cells(page, HOSTILE) == ["2 of 3", "1 of 2", "12.8 k–19.2 k", "200–300", "7.00–10.5"]
    assert "distance/net ≤ 100" in page and "the first early look (500 samples, split val)" in page


def test_two_seeds_are_shown_one_by_one():
    page = render(
        from_records([run("a", 0, 90, 80), run("a", 1, 300, 80), run("a", 2, 300, 90)][:2], ["100"]), width=160
    )
    assert "≤ 6.4 k · 6.4 k–12.8 k" in page
    half = render(from_records([run("a", 0, 300, 200), run("a", 1, 300, 80)], ["100"]), width=160)
    assert "– · 6.4 k–12.8 k" in half and "1 of 2" in half


@pytest.mark.parametrize("format", ["md", "latex", "html"])
def test_pages_have_every_level_that_some_seed_reached(format):
    page = shown(format)
    readable = {"md": "readable: distance/net ≤ 348", "latex": r"readable: distance/net $\le$ 348"}
    assert readable.get(format, readable["md"]) in page and "Time to quality" in page
    assert "No seed reached learnt" not in page and "<b>" not in page
    assert (r"\label{tab:toys-full-times}" in page) == (format == "latex")
    nobody = render(from_records([*(run("a", seed, 400) for seed in range(3)), *scale_records()]), format)
    assert nobody.count("No seed reached") == 2 and "Reached" not in nobody
    assert "quality" not in render(from_records([*rows(a=[1.0, 2.0, 3.0]), *scale_records()]), format)


def test_json_has_both_frames_and_null_for_never():
    (table,) = json.loads(shown("json", "readable", "100"), parse_constant=pytest.fail)
    times = table["times"]
    assert [target["bound"] for target in times["targets"]] == [348.0, 100.0] and len(times["rows"]) == 4
    never = [line for line in times["seeds"] if not line["reached"]]
    assert [(line["label"], line["seed"], line["real_images"]) for line in never] == [(HOSTILE, 1, None)]


def test_the_published_csv_has_a_line_for_each_seed_and_is_verified(tmp_path):
    publish([write(tmp_path / "runs", made())], tmp_path / "results")
    home = tmp_path / "results" / "toys-full"
    long = pd.read_csv(io.StringIO((home / "times.csv").read_text("utf-8")))
    mine = long[(long["target"] == "readable") & (long["label"] == "quick")]
    assert list(mine["real_images"]) == [6400] * 3 and list(mine["real_images_after"]) == [0] * 3
    assert "'" + HOSTILE in set(long["label"]) and len(long) == 12
    assert 'href="times.csv"' in (home / "index.html").read_text("utf-8")

    def about_times():
        return [
            f"{f.where.name}: {f.what}" for f in verify(tmp_path / "results").findings if f.where.name == "times.csv"
        ]

    assert about_times() == []
    (home / "times.csv").write_text((home / "times.csv").read_text("utf-8").replace("6400.0", "5400.0"), "utf-8")
    assert len(about_times()) == 1 and "5400.0" in about_times()[0]
    publish([write(tmp_path / "more", rows(b=[1.0]))], tmp_path / "bare")
    assert not (tmp_path / "bare" / "toys-full" / "times.csv").exists()


def test_the_terminal_shows_times_only_where_a_target_is_asked_for(tmp_path, capsys):
    runs = str(write(tmp_path / "runs", made(), grid=False))
    said = {}
    for words in ((), ("--target", "100"), ("--target", "learnt", "--format", "md"), ("--format", "md")):
        with pytest.raises(SystemExit) as ended:
            main(["leaderboard", runs, *words])
        assert ended.value.code == 0
        said[words] = capsys.readouterr().out
    bare, asked, one, every = said.values()
    assert "quality" not in bare and "distance/net ≤ 100" in asked
    assert "readable:" not in one and "learnt:" in one and "readable:" in every
    with pytest.raises(SystemExit) as ended:
        main(["leaderboard", runs, "--target", "learned"])
    assert ended.value.code == 2 and "did you mean learnt" in capsys.readouterr().err
