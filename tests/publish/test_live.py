"""The display of a suite at work."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from ganbench.publish.live import Live, describe
from ganbench.publish.scoring import ScoringDisplay, clock, describe_scoring
from ganbench.record.progress import NAME, Progress, Scoring, clear_scoring, read_scoring

EVENT = {"kind": "progress", "progress": 0.31, "losses": {"D": 1.25, "[red]G": 0.4}, "images_per_second": 1400.0}


def console(terminal: bool) -> tuple[Console, io.StringIO]:
    page = io.StringIO()
    return Console(file=page, force_terminal=terminal, width=100, color_system=None), page


def test_plain_lines_where_there_is_no_terminal(tmp_path: Path) -> None:
    screen, page = console(terminal=False)
    with Live(2, 1, screen) as live:
        live.started(tmp_path, "[bold]evil[/]\x1b[2J", 3, costly=True)
        live.finished(tmp_path, "crashed", "ValueError: [no]\nmarkup" + "x" * 100, 41.2)
    words = "ValueError: [no] markup" + "x" * 100
    assert page.getvalue() == f"[1/2] [bold]evil[/] · seed 3: crashed after 41 s: {words}\n", "one line, as it came"


def test_a_full_disk_costs_lines_and_no_runs(tmp_path: Path) -> None:
    full = Console(file=open("/dev/full", "w", buffering=1))  # noqa: SIM115 - closing it would fail, too
    with Live(1, 1, full) as live:
        live.started(tmp_path, "a · b", 0, costly=True)
        live.finished(tmp_path, "completed", None, 41.2)
        assert live.seconds_left() == 0.0


def test_a_terminal_shows_what_runs_say_of_themselves(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(json.dumps(EVENT) + '\n{"kind": "progr')
    screen, page = console(terminal=True)
    with Live(4, 2, screen, pace=100.0) as live:
        live.started(tmp_path, "a · b", 0, costly=True)
    text = page.getvalue()
    assert "0 of 4 runs" in text
    assert "about 3:20 min left" in text
    assert "a · b  seed 0  31 %" in text
    assert "[red]G 0.4" in text
    assert "1.4 k images/s" in text


def test_runs_of_a_cluster_wait_and_go_as_it_lets_them(tmp_path: Path) -> None:
    screen, page = console(terminal=True)
    with Live(10, 0, screen, pace=100.0) as live:
        live.note("3 queued (Resour\x1b[2Jces)")
        assert live.seconds_left() == 1000.0
        for name in "ab":
            live.started(tmp_path / name, name, 0, costly=True)
        assert live.seconds_left() == pytest.approx(500.0, abs=1.0), "two at a time"
    assert "about 8:20 min left, 3 queued (Resources)" in page.getvalue()


def test_the_time_left_comes_from_runs_that_were_trained(tmp_path: Path) -> None:
    screen, _ = console(terminal=False)
    live = Live(4, 1, screen)
    live.started(tmp_path / "a", "scale", 0, costly=False)
    live.finished(tmp_path / "a", "completed", None, 1.0)
    assert live.seconds_left() is None
    live.started(tmp_path / "b", "trained", 0, costly=True)
    live.finished(tmp_path / "b", "completed", None, 60.0)
    assert live.seconds_left() == 120.0


def test_events_that_are_not_what_they_should_be() -> None:
    assert describe({}) == ("starting", "", "")
    assert describe({"progress": "x", "losses": [1], "images_per_second": None}) == ("starting", "", "")
    assert describe({"losses": {"D": "1"}, "progress": True}) == ("starting", "", "")
    assert [clock(s) for s in (41.2, 125, 3780)] == ["41 s", "2:05 min", "1:03 h"]


def test_a_run_that_is_scored_says_how_far_it_is(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(json.dumps(EVENT) + "\n")
    Progress(tmp_path).tell(Scoring("slow-net", 2_500, 20_000, 310.0))
    screen, page = console(terminal=True)
    with Live(4, 2, screen, pace=100.0) as live:
        live.started(tmp_path, "a · b", 0, costly=True)
    text = page.getvalue()
    assert "a · b  seed 0  scoring  slow-net: 2,500 of 20,000 done  about 5:10 min left" in text and "31 %" not in text


def test_a_bar_on_a_terminal_and_one_line_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganbench.publish.scoring.LOOK", 0.01)
    Progress(tmp_path).tell(Scoring("slow\x1b[2J-net", 2_500, 20_000, 310.0))
    words = "slow-net: 2,500 of 20,000 done"
    screen, page = console(terminal=True)
    with ScoringDisplay(tmp_path, screen):
        pass
    assert "━" in page.getvalue() and words in page.getvalue() and "about 5:10 min left" in page.getvalue()
    screen, page = console(terminal=False)
    with ScoringDisplay(tmp_path, screen):
        time.sleep(0.5)
    assert page.getvalue() == f"scoring, {words}, about 5:10 min left\n"
    Progress(tmp_path).tell(Scoring("quick-net", 1, 2, 3.0))
    screen, page = console(terminal=False)
    with ScoringDisplay(tmp_path, screen):
        time.sleep(0.2)
    assert page.getvalue() == "", "what is soon done is not worth a line"


def test_what_is_told_of_a_scoring_and_what_is_no_such_thing(tmp_path: Path) -> None:
    progress = Progress(tmp_path, every=3600.0)
    progress.tell(Scoring("net", 1, 4))
    progress.tell(Scoring("net", 2, 4))
    assert read_scoring(tmp_path) == Scoring("net", 1, 4), "not more often than that"
    progress.tell(Scoring("metric kid", 2, 4, 1.5), now=True)
    assert read_scoring(tmp_path) == Scoring("metric kid", 2, 4, 1.5)
    assert describe_scoring(Scoring("metric kid", 2, 4, 1.5)) == ("metric kid: 2 of 4 done", "about 2 s left")
    assert describe_scoring(Scoring("starting")) == ("starting", "")
    for text in ("", "[]", '{"what": 3}', "[" * 5000, '{"what": "net", "done": -1, "total": "x", "seconds_left": -2}'):
        (tmp_path / NAME).write_text(text)
        assert read_scoring(tmp_path) in (None, Scoring("net", 0, 0, 0.0))
    clear_scoring(tmp_path)
    assert read_scoring(tmp_path) is None and list(tmp_path.iterdir()) == []
