"""What a record says before anything is measured, and what it says of an attempt that was lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ganbench.record.files import read_json
from ganbench.record.head import head, now, write_lost, write_skipped

SPEC: dict[str, Any] = {
    "run_id": "0123456789abcdef",
    "kind": "trained",
    "suite": {"id": "s-quick"},
    "entry": {"label": "a · l", "architecture": "a", "loss": "l"},
    "recipe": {"lr": {"value": 0.1, "origin": "engine"}},
    "mode": "reference",
    "conditional": False,
    "seed": 3,
    "data": {"A": {"name": "ring"}},
    "plugins": ({"module": "m"},),
    "api_version": 1,
    "score": {"samples": 5},
    "components": ("l",),
}


def test_the_head() -> None:
    found = head(SPEC, "fedcba9876543210")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found.pop("finished"))
    entry = {**SPEC["entry"], "key": "fedcba9876543210", "recipe": SPEC["recipe"]}
    assert found == {
        **{k: SPEC[k] for k in ("run_id", "kind", "suite", "seed", "data", "api_version")},
        "entry": {**entry, "mode": "reference", "conditional": False},
        "plugins": [{"module": "m"}],
    }
    assert now() <= now()


def test_a_combination_that_does_not_fit(tmp_path: Path) -> None:
    write_skipped(tmp_path, head(SPEC, "k"), "r1 requires 'x'")
    found = read_json(tmp_path / "result.json")
    assert (found["status"], found["reason"], found["last_step"], found["scores"]) == (
        "skipped",
        "r1 requires 'x'",
        None,
        [],
    )
    assert found["entry"]["key"] == "k"


@pytest.mark.parametrize("stage", ["training", "scoring"])
def test_an_attempt_that_was_lost(tmp_path: Path, stage: str) -> None:
    write_lost(tmp_path, head(SPEC, "k"), "crashed", "two\n  lines\t" + "x" * 1000, 7, stage)
    found = json.loads((tmp_path / "error.json").read_text())
    assert (found["status"], found["last_step"], found["stage"], found["schema_version"]) == ("crashed", 7, stage, 1)
    assert found["reason"].startswith("two lines xxx") and len(found["reason"]) == 500
    assert [p.name for p in tmp_path.iterdir()] == ["error.json"]
