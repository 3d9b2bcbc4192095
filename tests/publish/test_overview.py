"""The pages above published suites: facts of each, links that lead somewhere, nothing hostile, nobody's file lost."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_records import record, rows, scale_records, write

from ganbench.publish import publish
from ganbench.verify import verify

HOSTILE = """<script>document.title="owned"</script>](http://b.c) |`x` {{ 7*7 }} \x1b[31m\u202ered"""
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-sync"


class Cells(HTMLParser):
    """The texts of cells, the links, and the tags there are."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.links, self.tags, self.inside = [], [], set(), False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag in ("td", "th"):
            self.inside = True
            self.cells.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


def made(suite="toys-full", **changes):
    """Two entries of three and two seeds, one that was lost, one that did not fit."""
    found = [*rows(a=[1.0, 2.0, 3.0], b=[4.0, 5.0]), record("c", 0, None, "skipped", reason="no"), *scale_records()]
    for at, each in enumerate(found):
        each["finished"] = f"2026-01-0{1 + at % 3}T00:00:00Z"
        each["suite"] |= {"id": suite, **changes}
        each["data"] = {"A": {"name": "points", "split": "train", "sha256": "0" * 64}}
        each["environment"]["versions"]["ganbench"] = "0.9"
    return found


def test_the_facts_of_each_suite_stand_in_its_line(tmp_path):
    publish(
        [write(tmp_path / "runs", [*made(), *made("toys-quick", tier="quick", budget={"seconds": 60})])],
        tmp_path / "to",
    )
    page = Cells((tmp_path / "to" / "index.html").read_text("utf-8"))
    width = len(page.cells) // 3
    assert page.cells[width : 2 * width] == [
        "Toys, unconditional · full (as published)", "2", "2–3", "60,000 real images", "points", "distance/net",
        "Some CPU", "2026-01-01–2026-01-03", "0.9",
    ]  # fmt: skip
    assert page.cells[2 * width :][3] == "60 seconds" and len(page.cells) == 3 * width
    readme = (tmp_path / "to" / "README.md").read_text("utf-8")
    assert "| 2 | 2–3 | 60,000 real images | points |" in readme
    assert readme.split("```")[1].splitlines()[1:] == [
        "# toys-full", "ganbench run --suite toys --tier full --seeds 0,1,2",
        "# toys-quick", "ganbench run --suite toys --tier quick --seeds 0,1,2",
        "ganbench publish runs --to results",
    ]  # fmt: skip
    for links in (page.links, re.findall(r"\]\((.*?)\)", readme)):
        assert len(links) == 2 and all((tmp_path / "to" / link).is_file() for link in links)


def test_nothing_hostile_comes_through(tmp_path):
    evil = made(title=HOSTILE, tier=HOSTILE, headline="distance/net", table="<b>", budget={HOSTILE: 3})
    for each in evil:
        each["data"] = {"A": {"name": HOSTILE}}
        each["environment"]["cpu"]["model"] = HOSTILE
    publish([write(tmp_path / "runs", evil)], tmp_path / "to")
    page = (tmp_path / "to" / "index.html").read_text("utf-8")
    read = Cells(page)
    assert read.tags.isdisjoint({"script", "img", "b", "iframe"}) and "default-src 'none'" in page
    assert read.links == ["toys-full/index.html"] and "\x1b" not in page and "\u202e" not in page
    assert '<script>document.title="owned"</script>](http://b.c) |`x` {{ 7*7 }} red' in read.cells[-5]
    readme = (tmp_path / "to" / "README.md").read_text("utf-8")
    table = next(line for line in readme.splitlines() if line.startswith("| ["))
    assert "<script" not in table and table.count("|") == 10 and "`" not in table
    assert re.findall(r"(?<!\\)\]\((.*?)\)", table) == ["toys-full/LEADERBOARD.md"]


def test_what_somebody_else_wrote_is_left_alone(tmp_path):
    home = tmp_path / "to"
    home.mkdir()
    (home / "README.md").write_text("# Mine\n")
    written = publish([write(tmp_path / "runs", made())], home)
    assert (home / "README.md").read_text() == "# Mine\n" and home / "README.md" not in written
    assert home / "index.html" in written
    about = [finding for finding in verify(home).findings if finding.where.parent == home]
    assert about == []


def test_verify_compares_the_pages_above_and_misses_them_in_a_note(tmp_path):
    def found():
        return [(f.where.name, f.what, f.problem) for f in verify(tmp_path).findings if f.where.parent == home]

    home = tmp_path / "to"
    publish([write(tmp_path / "runs", made())], home)
    shutil.rmtree(tmp_path / "runs")
    assert found() == []
    page = (home / "index.html").read_text("utf-8")
    (home / "index.html").write_text(page.replace("60,000 real images", "90,000 real images"), "utf-8")
    ((name, what, problem),) = found()
    assert (name, problem) == ("index.html", True) and "90,000" in what and "60,000" in what
    (home / "README.md").unlink()
    assert ("README.md", "is not there (ganbench publish writes it)", False) in found()
    publish([home], home)
    assert found() == [] and (home / "index.html").read_text("utf-8") == page


def test_a_suite_that_cannot_be_read_does_not_keep_others_from_being_published(tmp_path):
    publish([write(tmp_path / "one", made())], tmp_path / "to")
    next((tmp_path / "to").rglob("result.json")).write_text("{")
    publish([write(tmp_path / "two", made("toys-quick", tier="quick"))], tmp_path / "to")
    readme = (tmp_path / "to" / "README.md").read_text("utf-8")
    assert "toys-quick/LEADERBOARD.md" in readme and "toys-full/LEADERBOARD.md" not in readme


@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser (Debian: apt install chromium)")
def test_a_browser_shows_words_as_words_and_refuses_nothing(tmp_path: Path):
    publish([write(tmp_path / "runs", made(title=HOSTILE))], tmp_path / "to")
    command = [CHROMIUM, *QUIET.split(), f"--user-data-dir={tmp_path / 'profile'}", "--disable-background-networking"]
    command += ["--enable-logging=stderr", "--dump-dom", (tmp_path / "to" / "index.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    page = Cells(done.stdout)
    assert any(cell.startswith('<script>document.title="owned"</script>') for cell in page.cells)
    assert "script" not in page.tags and "<title>Results</title>" in done.stdout and "CONSOLE" not in done.stderr
