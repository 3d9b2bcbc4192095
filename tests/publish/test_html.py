"""The HTML page: what it says, what it draws, and that a real browser shows hostile words as words."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_records import HEADLINE, record, rows, scale_records, write

from ganbench.publish import figures, publish, render
from ganbench.publish.tables import table
from ganbench.rank import from_records, leaderboards

RESULTS = Path(__file__).parents[2] / "results"
SEEN = """<script>document.title="owned"</script><img src=x onerror=alert(1)>"' {{ 7*7 }} </svg></title> &lt; red"""
HOSTILE = SEEN.replace("red", "\x1b[31m\u202ered")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = """
    --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-sync
    --disable-background-networking
"""


class Page(HTMLParser):
    """Texts by tag, addresses, and the tags there are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "img"):
            self.open.append(tag)
            self.texts.append((tag, ""))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and data.strip():
            at = max(i for i, (tag, _) in enumerate(self.texts) if tag == self.open[-1])
            self.texts[at] = (self.open[-1], self.texts[at][1] + data)

    def of(self, *tags: str) -> list[str]:
        return [text for tag, text in self.texts if tag in tags]

    def count(self, tag: str, **attributes: str) -> int:
        return sum(name == tag and attributes.items() <= found.items() for name, found in self.tags)


def looks(*values: float, cycle: int = 100, **changes: object) -> list[dict[str, object]]:
    return [
        {
            "cycle": cycle * at,
            "real_images": 6400 * at,
            "column": HEADLINE,
            "value": value,
            "n": 500,
            "split": "val",
            **changes,
        }
        for at, value in enumerate(values, 1)
    ]


def boards(label: str = "alpha"):
    made = [record(label, seed, 100.0 + 20 * seed, looks=looks(300.0, 150.0 + seed)) for seed in range(3)]
    return from_records([*made, *rows(beta=[310.0, 320.0, 330.0]), record("gone", 0, None, "oom"), *scale_records()])


def test_every_cell_caption_and_note_is_on_the_page():
    for board in [*boards(), *leaderboards([RESULTS])]:
        words, page = table(board), Page(render([board], "html"))
        cells = [cell for rows in words.sections.values() for row in rows for cell in row]
        shown = page.of("td", "th")
        at = len(words.fields)
        assert shown[:at] == [column.title for column in words.fields] and shown[at : at + len(cells)] == cells
        assert not page.open and [*words.notes, *words.captions] == [
            t for t in page.of("li") if t in words.notes + words.captions
        ]


def test_the_headline_of_each_seed_is_drawn_where_it_lies():
    (board,) = boards()
    figure = figures.seeds(board)
    axis = figure.axis
    assert axis.log and [strip.label for strip in figure.strips[:2]] == ["alpha", "beta"]
    dots = [dot.at for dot in figure.strips[0].dots]
    assert dots == [axis.place(value) for value in (100.0, 120.0, 140.0)]
    halfway = axis.place(math.sqrt(100.0 * 140.0))
    assert halfway == pytest.approx((dots[0] + dots[2]) / 2) and figure.strips[0].bar[1] == pytest.approx(
        axis.place(118.88), abs=1e-4
    )
    assert figure.marks == [(axis.place(76.2), "ten 76.2")]
    assert figure.beyond == ["true 0.652", "flat 696", "snow 6670"], "the scale's rows do not squeeze the entries"
    page = Page(render([board], "html"))
    assert page.count("circle", r="4") == 6 and page.count("line", **{"class": "bar"}) == 2
    assert "seed 1: 120 (completed)" in page.of("title")


def test_a_seed_that_failed_is_drawn_as_one():
    lost = record("alpha", 3, None, "diverged")
    (board,) = from_records([*rows(alpha=[100.0, 700.0, 120.0]), lost, *scale_records()])
    (strip,) = figures.seeds(board).strips
    assert [dot.failed for dot in strip.dots] == [False, True, False] and strip.bar is None and strip.without == 1
    assert "1 without a value" in Page(render([board], "html")).of("text")


def test_early_looks_are_curves_that_are_measured_alike():
    made = [record("alpha", seed, 100.0, looks=looks(300.0, 150.0 + seed)) for seed in range(3)]
    made.append(record("beta", 0, 90.0, looks=looks(1.0, 2.0, fingerprint="of another measurement")))
    made.append(record("gamma", 0, 95.0, looks=[{"cycle": 1, "column": HEADLINE, "value": None}, {}]))
    (board,) = from_records([*made, *scale_records()])
    assert list(board.looks["value"]) == [300.0, 150.0, 300.0, 151.0, 300.0, 152.0]
    assert set(board.looks["samples"]) == {500} and set(board.looks["label"]) == {"alpha"}
    figure = figures.curves(board)
    assert [len(curve.points) for curve in figure.curves] == [2, 2, 2] and figure.entries == ["alpha"]
    assert all(first[0] < last[0] and first[1] > last[1] for first, last in (curve.points for curve in figure.curves))
    assert "500 samples, on val" in figure.caption
    assert figure.marks == [], "no level of the suite lies between these looks"
    page = render([board], "html")
    assert page.count("<polyline") == 3 and "real images seen" in page
    (board,) = from_records([*rows(alpha=[1.0, 2.0, 3.0]), *scale_records()])
    assert figures.curves(board) is None and "<polyline" not in render([board], "html")


def test_levels_are_drawn_where_looks_reach_them():
    made = [record("alpha", seed, 100.0, looks=looks(400.0, 90.0, 70.0)) for seed in range(3)]
    (board,) = from_records([*made, *scale_records()])
    figure = figures.curves(board)
    assert figure.marks == [(figure.up.place(76.2), "learnt"), (figure.up.place(348.0), "readable")]
    highest, lowest = (figure.curves[0].points[at][1] for at in (0, 2))
    assert lowest < figure.marks[0][0] < figure.marks[1][0] < highest
    page = Page(render([board], "html"))
    assert {"learnt", "readable"} < set(page.of("text")) and page.count("line", **{"class": "mark", "x1": "60"}) == 2


@pytest.mark.parametrize(
    ("low", "high", "log", "least"),
    [(35.3, 65.7, True, 3), (0.2, 144.0, True, 3), (1e-12, 1e12, True, 4), (-3.0, 4.0, False, 4), (0.0, 4e6, False, 4),
     (1.0, 1.0 + 1e-6, True, 3), (1e-300, 2e-300, True, 3), (-1e300, 1e300, False, 3), (9.9, 10.1, True, 3),
     (1.0, 1.7e308, True, 4), (1e-320, 1e-310, True, 3), (-8e307, 8e307, False, 3)],
)  # fmt: skip
def test_an_axis_has_a_few_round_values_inside(low, high, log, least):
    axis = figures.Axis(low, high, log)
    ticks = axis.ticks()
    assert least <= len(ticks) <= figures.TICKS + 1
    assert all(axis.place(low) - 1e-6 <= at <= axis.place(high) + 1e-6 for at, _ in ticks)
    assert [at for at, _ in ticks] == sorted(at for at, _ in ticks)
    assert axis.holds(low) and axis.holds(high) and not axis.holds(math.nan)


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [math.inf, 5.0], []])
def test_there_is_no_figure_of_what_cannot_be_told_apart(values):
    (board,) = from_records([*rows(alpha=values or [None]), *scale_records()])
    assert figures.seeds(board) is None and "<figure" not in render([board], "html")


def test_the_page_needs_nothing_else_and_takes_no_markup_from_records():
    page = render([*boards(HOSTILE), *leaderboards([RESULTS])], "html")
    read = Page(page)
    assert {tag for tag, _ in read.tags}.isdisjoint({"script", "img", "iframe", "link", "object", "form", "a", "base"})
    assert not read.open and not read.links and not re.search(r"\son\w+=", re.sub(r">[^<]*<", "><", page))
    assert "default-src 'none'" in page and not re.search(r"url\(|@import", page)
    assert SEEN in read.of("th") and "\x1b" not in page and "\u202e" not in page


def test_a_published_page_links_what_lies_beside_it(tmp_path: Path):
    runs = write(tmp_path / "runs", [*rows(alpha=[121.0, 139.0]), *scale_records()])
    publish([runs], tmp_path / "results")
    home = tmp_path / "results" / "toys-full"
    page = Page((home / "index.html").read_text("utf-8"))
    assert {"leaderboard.csv", "leaderboard.tex", "LEADERBOARD.md"} < set(page.links) and len(page.links) == 5
    assert all((home / link).is_file() for link in page.links)
    assert "ganbench run --suite toys --tier full --seeds 0,1\nganbench publish runs --to results" in page.of("code")
    assert ("dt", "cpu") in page.texts and ("dd", "Some CPU") in page.texts and str(tmp_path) not in str(page.texts)


@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser (Debian: apt install chromium)")
def test_a_browser_shows_words_as_words_and_refuses_nothing(tmp_path: Path):
    made = [
        record(HOSTILE, seed, 100.0 + seed, looks=looks(300.0, 150.0), suite={"title": HOSTILE}) for seed in range(3)
    ]
    publish([write(tmp_path / "runs", made)], tmp_path / "results")
    file = tmp_path / "results" / "toys-full" / "index.html"
    command = [
        CHROMIUM,
        *QUIET.split(),
        f"--user-data-dir={tmp_path / 'profile'}",
        "--enable-logging=stderr",
        "--dump-dom",
    ]
    shot = [f"--screenshot={tmp_path / 'page.png'}", "--window-size=1000,1400", file.as_uri()]
    done = subprocess.run([*command, *shot], capture_output=True, text=True, timeout=120, check=True)
    page = Page(done.stdout)
    assert page.of("h1") == [SEEN] and page.of("title")[0] == SEEN and SEEN in page.of("th")
    assert page.count("script") == 0 and page.count("img") == 3 and page.count("polyline") == 3
    assert "CONSOLE" not in done.stderr, "the page's own policy lets its pictures and styles through"
