"""Foreign rows: beside what is measured alike, without a rank, and in a table of their own otherwise."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pandas as pd
from made_records import COMPARABILITY, HEADLINE, OTHERS, record, rows, scale_records, score

from ganbench.publish import render
from ganbench.rank import from_records

CLOSE = [0.9, 1.0, 1.1, 0.95, 1.05]


def foreign(label: str = "theirs", value: float = 50.0, seed: int | None = None, **changes: Any) -> dict[str, Any]:
    scores = [
        score(HEADLINE, value, "given", comparability="f" * 12, **changes),
        score(OTHERS[0], 0.1, "given", comparability="e" * 12),
    ]
    made = record(
        label, seed or 0, kind="foreign", scores=scores, throughput=None, counters={}, sanity={}, parameters={}
    )
    made["entry"] |= {"foreign": label, "seeded": seed is not None, "mode": "unknown", "key": f"{label}{seed is None}"}
    made["run_id"] = f"{label}{seed}{value}"
    return made


def test_beside_the_suites_rows_without_a_rank() -> None:
    trained = rows(a=[100 * c for c in CLOSE], b=[200 * c for c in CLOSE]) + scale_records()
    (alone,), (made,) = from_records(trained), from_records([*trained, foreign(), foreign("bad", 700.0)])
    assert made.comparability == COMPARABILITY
    assert list(made.section("foreign")["label"]) == ["theirs", "bad"]
    assert made.section("foreign")[["rank_low", "images_per_second"]].isna().all().all()
    pd.testing.assert_frame_equal(made.pairs, alone.pairs)
    pd.testing.assert_frame_equal(made.section("entries"), alone.section("entries"))
    assert list(made.section("foreign")["degenerate"]) == [0, 1], "no better than the flat row"
    assert any(line.startswith("Foreign: samples of another program") for line in made.captions)
    page = render([made], "md")
    line = next(line for line in page.splitlines() if "theirs (foreign)" in line)
    assert "| unknown |" in line and "| Mode |" not in page
    csv = pd.read_csv(io.StringIO(render([made], "csv")), dtype=str)
    theirs = csv[csv["label"] == "theirs"]
    assert set(theirs["section"]) == {"foreign"} and theirs["seed"].isna().all()
    assert set(csv[csv["label"] == "a"]["seed"]) == set("01234")
    parsed = json.loads(render([made], "json"))
    assert {s["seed"] for s in parsed[0]["scores"] if s["label"] == "theirs"} == {None}
    assert "theirs (foreign)" in render([made])


def test_seeds_that_are_given_are_one_row() -> None:
    records = [foreign(value=50.0 + seed, seed=seed) for seed in range(3)]
    (made,) = from_records([*rows(a=[100.0]), *records, foreign("theirs")])
    named, unnamed = made.section("foreign").to_dict("records")
    assert {named["seeds"], unnamed["seeds"]} == {(0, 1, 2), ()}


def test_what_is_measured_otherwise_has_a_table_of_its_own() -> None:
    records = [*rows(a=[100.0, 110.0]), *scale_records()]
    strange = [foreign("few", fingerprint="5" * 12, n=10), foreign("fewer", fingerprint="4" * 12, n=9)]
    first, *others = from_records([*records, *strange, foreign()])
    assert list(first.section("foreign")["label"]) == ["theirs"]
    assert sorted(row for other in others for row in other.frame["label"]) == ["few", "fewer"]
    assert all(set(other.frame["section"]) == {"foreign"} for other in others)
    assert all("Nothing that was trained here is measured like this." in other.captions for other in others)


def test_foreign_rows_alone_and_without_any_value() -> None:
    (made,) = from_records([foreign()])
    assert list(made.frame["label"]) == ["theirs"] and np.isfinite(made.frame["median"]).all()
    nothing = foreign()
    for one in nothing["scores"]:
        one |= {"value": None, "skipped": "not here", "fingerprint": None, "comparability": None}
    assert "Not scored: theirs (not here)" in render(from_records([nothing]), "md")


def test_foreign_rows_never_outvote_those_that_were_trained() -> None:
    """Three of them, measured otherwise in a further column, beside one run."""
    others = [foreign(name) for name in ("x", "y", "z")]
    for other in others:
        other["scores"][1] |= {"fingerprint": "9" * 12, "value": 7.0}
    (made,) = from_records([*rows(a=[100.0]), *others])
    column = made.scores[made.scores["column"] == OTHERS[0]].set_index("label")["value"]
    assert np.isfinite(column["a"]) and column[["x", "y", "z"]].isna().all()
