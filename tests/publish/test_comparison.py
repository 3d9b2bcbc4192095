"""`ganbench compare`: what the page says follows from the records, in every form, and takes no markup from them."""

import json
import re
from pathlib import Path

import pytest
from made_records import record, rows, scale_records, write

from ganbench.cli import main
from ganbench.publish.comparison import FORMATS, render
from ganbench.rank import comparisons

RESULTS = Path(__file__).parents[2] / "results"
HOSTILE = "=evil <b>|`x`\x1b[31m\u202e"
LOW, HIGH = [100.0, 112.0, 95.0, 104.0], [300.0, 340.0, 290.0, 310.0]


def said(words, capsys, code=0):
    with pytest.raises(SystemExit) as ended:
        main(["compare", *map(str, words)])
    printed = capsys.readouterr()
    assert ended.value.code == code, printed.err
    return printed.err if code else printed.out


@pytest.fixture
def home(tmp_path):
    made = rows(**{"a": LOW, HOSTILE: HIGH})
    for each in made[4:]:
        each["entry"] |= {"loss": HOSTILE, "recipe": {HOSTILE: {"value": HOSTILE}}}
    return write(tmp_path / "runs", [*made, record("bad", 0, None, "diverged"), *scale_records()], grid=False)


def test_two_entries_side_by_side(home, capsys):
    page = said(["a", "evil-b-x", "--in", home], capsys)
    assert re.search(r"^loss +hinge +=evil <b>\|`x`$", page, re.M)
    interval = r"\[[\d.]+, [\d.]+\]"
    assert re.search(rf"^distance/net/10k ↓ +103 {interval} +309 {interval} +× 0\.\d+ {interval}$", page, re.M)
    assert f"A: a, 4 seeds (0, 1, 2, 3), suite toys-full, from {home}" in " ".join(page.split())
    assert re.search(r"^Train s +42\.7 +42\.7 +–$", page, re.M)
    assert "A is better (Welch's t, p = " in page and "\x1b" not in page and "\u202e" not in page


@pytest.mark.parametrize("format", FORMATS)
def test_every_form_says_the_same(home, format):
    found = comparisons("a", "evil-b-x", [home])
    page = render(found, format)
    (pair,) = found.pairs
    assert "A is better" in page and "conditional" not in page
    if format == "json":
        (made,) = json.loads(page, parse_constant=pytest.fail)["pairs"]
        assert made["better"] == "a" and made["columns"][0]["change"]["high"] == pair.columns[0].change.high
        assert made["a"]["runs"][1]["seed"] == 1 and made["columns"][0]["a"]["values"] == LOW
        assert {one["what"] for one in made["differs"]} == {"loss", f"recipe {HOSTILE}"}
    if format == "md":
        assert "<b>" not in page and "`" not in page and "| loss | hinge |" in page
    failed = render(comparisons("a", "bad", [home]), format)
    assert "unranked: more than half" in failed


def test_two_published_folders(capsys):
    page = said([RESULTS / "mnist-quick", RESULTS / "fashion-mnist-quick"], capsys)
    assert page.count("not comparable") == 5 and "Only in A: dcgan · lsgan, mlp · lsgan" in page
    assert "for they differ in suite (name), data (A" in page
    one = said([RESULTS / "mnist-quick", RESULTS / "fashion-mnist-quick", "--entry", "dcgan-hinge"], capsys)
    assert re.search(r"^data A sha256 +896208285c38 +cd2fde710f45$", one, re.M)
    same = json.loads(said([RESULTS / "mnist-parts-quick", RESULTS / "mnist-parts-quick", "--format", "json"], capsys))
    assert len(same["pairs"]) == 27 and {pair["verdict"] for pair in same["pairs"]} == {
        "No verdict: both are the same row."
    }


def test_a_mistake_is_one_line(home, capsys, tmp_path):
    assert "no entry of that name in" in said(["a", "evol-b-x", "--in", home], capsys, 2)
    assert "did you mean evil-b-x" in said(["a", "evol-b-x", "--in", home], capsys, 2)
    assert "name one with --in" in said(["a", "b", "--in", tmp_path / "nowhere"], capsys, 2)
    empty = tmp_path / "pending" / "run"
    empty.mkdir(parents=True)
    (empty / "spec.json").write_text("{}")
    assert "no run in it is finished" in said([empty, "a", "--in", home], capsys, 2)
