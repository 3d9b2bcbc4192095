"""Pages from records, through the public doors: they say what the records say, and nothing hostile comes through."""

import csv
import html
import io
import json
import re

import pandas as pd
import pytest
from made_records import HEADLINE, record, rows, scale_records, write
from PIL import Image
from rich.console import Console

from ganbench.errors import UsageError
from ganbench.publish import publish, render, show
from ganbench.publish.text import number, plain, quantity
from ganbench.rank import from_records

HOSTILE = "[red]evil[/red]\x1b[31m|`x`<img src=x>\n# head [a](http://b.c) @all \u202e$m$"
FIVE = {"alpha": [121.0, 139.0, 160.0, 130.0, 150.0], "beta": [310.0, 320.0, 330.0, 300.0, 340.0]}


def boards(*more):
    return from_records([*rows(**FIVE), *more, *scale_records()])


def line(page, label):
    return next(text for text in page.splitlines() if label in text)


def test_text_shows_centre_interval_and_rank():
    page = render(boards(), width=160)
    assert re.search(r"^\s*1 +alpha +139 \[121, 160\]", page, re.M), page
    assert "flat (degenerate)" in page and "Each paper's own recipe" in page


def test_two_seeds_are_printed_as_values():
    page = render(from_records(rows(a=[228.0, 260.0]) + scale_records()), width=160)
    assert "228 · 260" in line(page, "a  ") and "Rank" not in page and "[" not in line(page, "228")


def test_one_seed_is_printed_alone():
    assert "| a | 228 |" in render(from_records(rows(a=[228.0])), "md")


def test_failures_are_printed_with_the_median_and_all_values():
    bad = [record("bad", 0, 300.0), record("bad", 1, None, "diverged", reason="NaN at 4"), record("bad", 2, 310.0)]
    page = render(boards(*bad, record("lost", 0, None, "oom", reason="no memory")), width=160)
    assert "median 310 of 300 · ✗ · 310" in line(page, "bad") and "3 (1 failed)" in line(page, "bad")
    assert "0.339*" in line(page, "bad")
    assert "Failed: bad (NaN at 4)" in page and "Missing: lost (no memory)" in page
    assert "0 (1 missing)" in line(page, "lost")


def test_a_mean_of_fewer_seeds_than_its_row_has_is_marked():
    table = rows(**FIVE)
    table[0]["scores"].append({**table[0]["scores"][1], "column": "later/net", "value": 0.0123, "added": "2031-01-01"})
    bad = [record("bad", 0, 300.0), record("bad", 1, None, "diverged"), record("bad", 2, 310.0)]
    bad[0]["scores"].append({**table[0]["scores"][-1], "value": 0.5})
    for format in ("md", "text"):
        page = render(from_records([*table, *bad]), format, width=250)
        assert "0.012 (n=1)" in line(page, "alpha") and "(n=" not in line(page, "beta")
        assert ("0.500\\* (n=1)" if format == "md" else "0.500* (n=1)") in line(page, "bad")
        assert "(n=k): the mean of k seeds only" in page
    assert "(n=" not in render(boards(), "md")


def test_degenerate_seeds_are_marked():
    assert "700† · 300" in render(from_records(rows(a=[700.0, 300.0]) + scale_records()), "md")


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_text_keeps_to_its_width(width):
    assert max(map(len, render(boards(record("x" * 30, 0, 300.0)), width=width).splitlines())) <= width


def test_narrow_text_moves_columns_and_loses_none():
    page = render(boards(), width=100)
    assert all(head in page for head in ("kernel", "recall", "spread", "images/s", "Memory"))


def test_headers_are_not_broken_inside_words():
    page = render(from_records(rows(a=[42.0])), width=100)
    assert "distance ↓" in page and "Scores: net features, 10k samples" in page


def test_show_prints_to_a_console():
    console = Console(file=io.StringIO(), width=120)
    show(boards(), console)
    assert "alpha" in console.file.getvalue()


def test_text_has_no_markup_and_no_control_characters():
    made = boards(record(HOSTILE, 0, 300.0), record("s", 0, None, "skipped", reason=HOSTILE))
    made += from_records([record("a", suite={"title": HOSTILE, "note": HOSTILE, "id": "x"})])
    page = render(made, width=300)
    assert "[red]evil[/red]|" in page and "\x1b" not in page and "\u202e" not in page
    assert all(ch == "\n" or ch.isprintable() for ch in page)


def test_markdown_is_inert():
    page = render(boards(record(HOSTILE, 0, 300.0)), "md")
    shown = line(page, "evil")
    assert shown.count("|") == line(page, "alpha").count("|")
    for raw in ("<img", "`", "[a](", "\x1b", "$"):
        assert raw not in shown
    assert "\\[red\\]evil" in shown and "\n# head" not in page
    for note, escaped in (("1. x", "1\\. x"), ("2) x", "2\\) x"), ("- x", "\\- x"), ("+", "\\+"), ("---", "\\---")):
        assert f"\n- {escaped}\n" in render(from_records([record("a", suite={"note": note})]), "md")


def test_markdown_links_nothing_once_its_entities_are_decoded():
    """GitHub looks for addresses, mentions and emoji in the text that it shows, not in the source."""
    said = "@all me@site.org mailto:me@site.org Http://b.c www.b.c WWW.b.c :skull: :+1:wow:e_mail: $x$ a:b 12:30"
    shown = html.unescape(re.sub(r"\\(?=[\W_])", "", line(render(boards(record(said, 0, 300.0)), "md"), "site")))
    for pattern in (r"@\w", r"://", r"(?i)www\.", r":[\w+-]+:", r"(?<!<span>)\$", r"\$(?!</span>)"):
        assert not re.search(pattern, shown), pattern
    seen = re.sub("\u200b|</?span>", "", shown)
    assert f"| {said} |" in seen


def test_csv_is_long_and_safe():
    page = render(boards(record("=cmd()", 0, 300.0), record("\t+1", 0, 301.0, entry={"mode": "-x"})), "csv")
    long = pd.read_csv(io.StringIO(page))
    values = long[(long["label"] == "alpha") & (long["column"] == HEADLINE)]
    assert list(values["value"]) == FIVE["alpha"] and set(values["rank_low"]) == {1}
    assert set(values["low"].round(1)) == {121.4}
    assert {"'=cmd()", "'+1"} <= set(long["label"]) and "'-x" in set(long["mode"])


def test_csv_says_what_an_entry_is_made_of_and_what_each_seed_cost():
    parts = {"preset": "r3", "regularizers": ["r1", "=clip()"], "augmentations": ["-flip"]}
    busy = {"images_per_second": 9.0, "peak_memory_bytes": 5e9, "shared_device": True}
    made = [record("whole", 0, 300.0, entry=parts), record("whole", 1, 301.0, entry=parts, throughput=busy)]
    made += [record("own", 0, 310.0, entry={"architecture": None, "loss": None, "game": "cycle"})]
    made += [record("own", 1, None, "oom", entry={"architecture": None, "loss": None, "game": "cycle"})]
    long = pd.read_csv(io.StringIO(render(boards(*made), "csv")), keep_default_na=False)
    told = ["architecture", "loss", "preset", "game", "regularizers", "augmentations"]
    costs = ["images_per_second", "seconds", "peak_memory_bytes", "parameters_G", "parameters_D"]
    rows = {label: mine[mine["column"] == HEADLINE] for label, mine in long.groupby("label")}
    assert rows["whole"][told].to_numpy().tolist() == [["deep", "hinge", "r3", "", "r1 + =clip()", "'-flip"]] * 2
    assert set(map(tuple, rows["own"][told].to_numpy())) == {("", "", "", "cycle", "", "")}
    whole = rows["whole"][costs].to_numpy().tolist()
    assert [[float(cost or -1) for cost in seed] for seed in whole] == [
        [1457.0, 41.2, 412e6, 350_211, 260_113], [-1, 42.2, 5e9, 350_211, 260_113]
    ]  # fmt: skip
    assert not any(rows["own"][costs].iloc[1]) and not any(rows["true"][[*told, *costs]].iloc[0][2:])


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quotes", ['"', ""])
def test_csv_has_no_formula_however_it_is_split(separator, quotes):
    """Programs in countries with a decimal comma split at semicolons, wherever quotes stand."""
    evil = [f"a{s}{q}{f}1+1{s}b" for s in ";|\t," for q in ("", " ", '"', ' "', "'") for f in "=+-@＝"]
    page = render(boards(*(record(label, 0, 300.0 + at) for at, label in enumerate(evil))), "csv")
    assert len(set(pd.read_csv(io.StringIO(page))["label"])) > len(evil) * 3 / 4
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    found = [cell for line in csv.reader(io.StringIO(page), delimiter=separator, quoting=quoting) for cell in line]
    if separator != "," or quotes:  # a file split at its own separator with quotes that mean nothing is none
        assert not [cell for cell in found if cell.lstrip(' "').startswith(("=", "+", "@", "＝", "-1+"))]


def test_json_has_null_for_what_is_not_there():
    (table,) = json.loads(render(boards(record("bad", 0, None, "diverged")), "json"), parse_constant=pytest.fail)
    bad = next(found for found in table["rows"] if found["label"] == "bad")
    assert bad["median"] is None and bad["values"] == [None] and bad["diverged"] == 1


def test_the_error_of_a_finite_sample_is_a_column_and_a_line_and_never_an_interval():
    made = record("measured", 0, 300.0)
    error = {"value": 2.5, "method": "first order", "groups": None}
    made["scores"][0] |= {"sampling_error": error, "parts": {"0": 250.0, "9": 350.0}}
    tables = boards(made)
    long = pd.read_csv(io.StringIO(render(tables, "csv")))
    mine = long[(long["label"] == "measured") & (long["column"] == HEADLINE)]
    assert list(mine["sampling_error"]) == [2.5] and "parts" not in long
    assert long.loc[long["label"] != "measured", "sampling_error"].isna().all()
    (table,) = json.loads(render(tables, "json"))
    (score,) = [s for s in table["scores"] if s["label"] == "measured" and s["column"] == HEADLINE]
    assert (score["sampling_error"], score["parts"]) == (2.5, {"0": 250.0, "9": 350.0})
    for format in ("md", "text"):
        page = " ".join(render(tables, format).split())
        assert "Error of scoring a finite sample of one model" in page and "±" not in page


def test_an_unknown_format_is_an_error():
    with pytest.raises(UsageError, match="did you mean csv"):
        render([], "csvv")


def test_no_leaderboards_give_empty_pages():
    assert json.loads(render([], "json")) == [] and render([], "csv") == "" and render([], "md") == ""


def test_publish_copies_what_is_finished_and_writes_the_tables(tmp_path):
    lost = record("lost", 0, None, "oom", reason="no memory")
    runs = write(tmp_path / "runs", [*rows(**FIVE), lost, record("gone", 0, None, "diverged"), *scale_records()])
    written = publish([runs], tmp_path / "results")
    home = tmp_path / "results" / "toys-full"
    assert all(path.is_file() for path in written)
    folders = [path for path in home.iterdir() if path.is_dir()]
    assert len(folders) == 15 and not any((path / "error.json").exists() for path in folders)
    for folder in folders:
        made = json.loads((folder / "result.json").read_text())
        grid = folder / "samples.png"
        assert (folder / "spec.json").is_file()
        assert grid.is_file() == (made["kind"] == "trained" and made["status"] == "completed")
        assert not grid.is_file() or grid.stat().st_size <= 50_000
    page = (home / "LEADERBOARD.md").read_text()
    for part in (
        "ganbench run --suite toys --tier full --seeds 0,1,2,3,4\n",
        "- cpu: Some CPU",
        "- torch: 2.9.0",
        "139 \\[121, 160\\]",
        "no memory",
        "# Toys",
    ):
        assert part in page
    assert str(tmp_path) not in page
    links = re.findall(r"!\[.*?\]\((.*?)\)", page)
    assert len(links) == 10 and all((home / link).is_file() for link in links)
    assert len(pd.read_csv(home / "leaderboard.csv")) > 50


def test_the_page_has_every_command_that_was_asked_for_and_nothing_else_of_a_record(tmp_path):
    first = {"suite": "toys", "tier": "full", "loss": ["a", "b c"], "seeds": "0..1", "set": ["lr=0.1"]}
    second = {"suite": "toys", "preset": ["x`y\n"], "rm": "-rf", "out": "/", "mode": 3, "metric": [["deep"]]}
    runs = [record("a", 0, 1.0, asked=first), record("a", 1, 1.0, asked=first), record("b", 0, 2.0, asked=second)]
    publish([write(tmp_path / "runs", [*runs, record("c", 7, 3.0), *scale_records()])], tmp_path / "results")
    page = (tmp_path / "results" / "toys-full" / "LEADERBOARD.md").read_text()
    assert page.split("```")[1].splitlines()[1:] == [
        "ganbench run --suite toys --preset xy",
        "ganbench run --suite toys --tier full --loss a --loss 'b c' --seeds 0..1 --set lr=0.1",
        "ganbench run --suite toys --tier full --seeds 7",
        "ganbench publish runs --to results",
    ]


def test_a_command_names_files_and_no_place_on_somebodys_machine(tmp_path):
    places = ["/srv/me/mine.py", "~/mine.py", "C:\\me\\mine.py", "~me", "/", "\\\\host\\mine.py"]
    asked = {"plugin": [*places, "a/mine.py", "my.module"], "plugins-dir": "/srv/me/boxes/", "set": ["f=/srv/x.pt"]}
    publish([write(tmp_path / "runs", [record("a", asked=asked)])], tmp_path / "results")
    page = (tmp_path / "results" / "toys-full" / "LEADERBOARD.md").read_text()
    plugins = ["mine.py", "mine.py", "mine.py", "me", "mine.py", "a/mine.py", "my.module"]
    words = ["ganbench run --set f=x.pt", *(f"--plugin {word}" for word in plugins), "--plugins-dir boxes"]
    assert page.split("```")[1].splitlines()[1] == " ".join(words)


def test_publishing_again_changes_no_byte_and_adding_keeps_the_old(tmp_path):
    def contents():
        return {path: path.read_bytes() for path in sorted((tmp_path / "results").rglob("*")) if path.is_file()}

    runs = write(tmp_path / "runs", [*rows(**FIVE), *scale_records()])
    publish([runs], tmp_path / "results")
    before = contents()
    publish([runs], tmp_path / "results")
    publish([tmp_path / "results"], tmp_path / "results")
    assert contents() == before
    publish([write(tmp_path / "more", rows(gamma=[200.0, 210.0, 220.0]))], tmp_path / "results")
    page = (tmp_path / "results" / "toys-full" / "LEADERBOARD.md").read_text()
    assert "gamma" in page and "alpha" in page


def test_a_run_from_another_machine_lies_beside_and_replaces_nothing(tmp_path):
    def folders():
        return {p.parent.name: json.loads(p.read_text()) for p in (tmp_path / "results").rglob("result.json")}

    def tables():
        return [
            (tmp_path / "results" / "toys-full" / name).read_text() for name in ("LEADERBOARD.md", "leaderboard.csv")
        ]

    mine = rows(**FIVE)
    theirs = [{**r, "environment": {"machine": machine}, "finished": "2031-01-01T00:00:00Z"} for r in mine[:1]
              for machine in ("zz0000000000", "../../up")]  # fmt: skip
    for made in theirs:
        made["scores"] = [{**made["scores"][0], "value": 60.0}]
    one = write(tmp_path / "one", [*mine, *scale_records()])
    two, three = (write(tmp_path / name, [made]) for name, made in zip(("two", "three"), theirs, strict=True))
    publish([one, two, three], tmp_path / "results")
    found = folders()
    name = mine[0]["run_id"]
    assert found[name]["scores"][0]["value"] == mine[0]["scores"][0]["value"]
    assert found[f"{name}-zz0000000000"]["scores"][0]["value"] == 60.0
    assert len(found) == 16 and all(re.fullmatch(r"[0-9a-z-]+", folder) for folder in found)
    assert "Reproduced: 2 runs" in tables()[0]
    before = folders(), tables()
    for again in (["two"], ["results"], ["three", "one"]):
        publish([tmp_path / place for place in again], tmp_path / "results")
        assert (folders(), tables()) == before
    theirs[0]["scores"][0]["value"] = 61.0
    publish([write(tmp_path / "two", theirs[:1])], tmp_path / "results")
    assert folders()[f"{name}-zz0000000000"]["scores"][0]["value"] == 61.0 and len(folders()) == 16
    assert tables() == before[1]


def test_a_grid_is_cut_to_its_upper_rows(tmp_path):
    publish([write(tmp_path / "runs", [record("a")])], tmp_path / "results")
    with Image.open(next((tmp_path / "results").rglob("samples.png"))) as grid:
        assert grid.width == 256 and 0 < grid.height < 320


def test_publish_refuses_names_that_leave_the_folder_and_links(tmp_path):
    made = record("a")
    run = write(tmp_path / "runs", [made]) / "toys-full" / made["run_id"]
    (run / "result.json").write_text(json.dumps({**made, "suite": {**made["suite"], "id": "../../up"}}))
    with pytest.raises(UsageError, match="no name for a folder"):
        publish([tmp_path / "runs"], tmp_path / "results")
    (run / "result.json").write_text(json.dumps(made))
    (run / "spec.json").unlink()
    (run / "spec.json").symlink_to("/etc/hostname")
    with pytest.raises(UsageError, match="is a link"):
        publish([tmp_path / "runs"], tmp_path / "results")


def test_publish_does_not_read_what_is_too_large_to_publish(tmp_path):
    runs = write(tmp_path / "runs", [record("a")])
    with next(runs.rglob("spec.json")).open("r+b") as file:
        file.truncate(2**34)  # of nothing
    with pytest.raises(UsageError, match="a run may publish 200000"):
        publish([runs], tmp_path / "results")


def test_publish_refuses_a_run_that_is_too_large(tmp_path):
    with pytest.raises(UsageError, match="200000"):
        publish([write(tmp_path / "runs", [record("a", looks=[{"x": "y" * 300_000}])])], tmp_path / "results")


def test_a_broken_picture_is_left_out(tmp_path):
    runs = write(tmp_path / "runs", [record("a")])
    next(runs.rglob("samples.png")).write_bytes(b"\x89PNG nothing")
    publish([runs], tmp_path / "results")
    assert not list((tmp_path / "results").rglob("samples.png"))


@pytest.mark.parametrize(
    ("value", "places", "shown"),
    [(139.4, None, "139"), (0.9999, None, "1.00"),
     (0.6523, None, "0.652"), (6670.4, None, "6670"), (0.0, 2, "0"), (0.0042, 1, "0.0042"),
     (float("nan"), 2, "–"), (3.14159, 1, "3.1"), (1.5e-9, None, "1.50e-09"), (-12.34, None, "-12.3")],
)  # fmt: skip
def test_numbers(value, places, shown):
    assert number(value, places) == shown


def test_quantities():
    assert [quantity(x) for x in (0, 42, 1457, 350_211, 11_700_000)] == ["0", "42", "1.46 k", "350 k", "11.7 M"]


def test_plain_takes_terminal_sequences_out():
    assert plain("a\x1b]0;title\x07b\x9b31mc\r\nd\x00") == "abc d"
