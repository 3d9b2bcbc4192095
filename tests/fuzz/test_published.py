"""Published results that somebody crafted or damaged: `verify` says what is wrong with each, and goes on."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from cases import each, some
from mutations import DEEP, HALF, HUGE, NESTED, as_json, changed, damaged, put
from watched import LONGEST_LINE, held

from ganbench.cli.terminal import as_json as printed
from ganbench.publish import publish
from ganbench.verify import verify

REAL = Path(__file__).resolve().parents[2] / "results" / "mnist-quick"
SUITE, ENDS = REAL.name, ("spec.json", "result.json", "leaderboard.csv", "LEADERBOARD.md")
MEASUREMENT = ("scores", 0, "measurement")
CRAFTED: tuple[tuple[str, tuple[str | int, ...], Any], ...] = (
    *(
        ("result.json", (*MEASUREMENT, key), value)
        for key in ("params", "reference", "extractor", "metric", "samples")
        for value in ([1], "x")
    ),
    ("result.json", (*MEASUREMENT, "extractor", "layers"), [1]),
    ("result.json", (*MEASUREMENT, "reference", "size"), 2**53 + 1),
    ("result.json", (*MEASUREMENT, "extractor", "preprocessing"), 10**18),
    *(("result.json", (key,), value) for key in ("weights", "environment") for value in ([1], "x", {"a": NESTED})),
    *((name, ("seed",), HUGE[1]) for name in ENDS[:2]),
    *((name, ("entry", "label"), HALF) for name in ENDS[:2]),
    *((name, ("suite", "note"), DEEP) for name in ENDS[:2]),
    ("spec.json", ("score", "extractors", 0), {"name": "a", "features": "b", "weights": "c"}),
)
"""A file, and one value in it that some reader could stumble over; the first cases."""
TABLES = (b"x" * 200_000, b'"', b"\0\r,\r", b"\xff" * 100, b",".join([b'"a\n"'] * 1000))
"""What follows in a table; the next cases."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs with their tables."""
    place = tmp_path_factory.mktemp("published")
    for pattern in ("dcgan-hinge-s0-*", "noise-s0-*"):
        for folder in REAL.glob(pattern):
            shutil.copytree(folder, place / "made" / folder.name)
    publish([place / "made"], place)
    return place / SUITE


@some(40, 2000)
def test_published_results(numbers: range, home: Path, tmp_path: Path) -> None:
    (run,) = home.glob("dcgan-hinge-s0-*")

    def case(draw: random.Random, folder: Path) -> None:
        number = int(folder.name)
        mine = folder / SUITE
        shutil.copytree(home, mine)
        crafted = CRAFTED[number] if number < len(CRAFTED) else None
        table = TABLES[number - len(CRAFTED)] if 0 <= number - len(CRAFTED) < len(TABLES) else None
        name = crafted[0] if crafted else "leaderboard.csv" if table else draw.choice(ENDS)
        file = mine / name if name in ENDS[2:] else mine / run.name / name
        whole = file.read_bytes()
        if crafted:
            file.write_bytes(as_json(put(json.loads(whole), *crafted[1:])))
        elif table:
            file.write_bytes(whole + table + b"\n")
        elif name in ENDS[:2] and draw.random() < 0.7:
            file.write_bytes(as_json(changed(json.loads(whole), draw)))
        else:
            file.write_bytes(damaged(whole, draw))

        def read() -> None:
            report = verify(mine)
            assert report.problems or (not crafted and not table), "what was crafted is noticed"
            for finding in report.findings:
                assert len(finding.what) < LONGEST_LINE and "\n" not in finding.what, finding.what[:200]
            printed([vars(finding) | {"where": str(finding.where)} for finding in report.findings]).encode()

        assert held(read, file), "one run costs itself alone"

    each(numbers, "published", tmp_path, case)
