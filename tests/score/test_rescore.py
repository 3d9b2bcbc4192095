"""A finished run scored again: what is new is added, what is there stays, nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ganbench.errors import UsageError
from ganbench.plan.rescore import plan_rescoring
from ganbench.plan.scoring import Choice
from ganbench.plan.spec import RunSpec
from ganbench.record.files import read_json
from ganbench.score.rescore import add, staged
from ganbench.score.scorer import Scorer


def rescored(tiny: Any, run: Path, scorer: Scorer, *choice: tuple[str, ...]) -> Any:
    (spec,) = plan_rescoring(RunSpec.read(run), tiny.registry, Choice(*choice), "cpu").runs
    with staged(run, spec) as folder:
        scorer.score(folder)
        return add(run, read_json(folder / "result.json"))


def test_scores_are_added_and_none_is_touched(tiny: Any, plugin: str) -> None:
    run, scorer = tiny.trained(), Scorer([plugin])
    scorer.score(run)
    files = {p.relative_to(run) for p in run.rglob("*")}
    said, before = (run / "spec.json").read_bytes(), json.loads((run / "result.json").read_text())
    nothing = rescored(tiny, run, scorer)
    assert not nothing.new and not nothing.changed and len(nothing.same) == len(before["scores"])
    assert json.loads((run / "result.json").read_text()) == before

    found = rescored(tiny, run, scorer, ("tiny-net@logits",), ("frechet-distance", "kid"))
    after = json.loads((run / "result.json").read_text())
    assert [(s["variant"], s["column"]) for s in found.new] == [
        (v, c) for v in ("last-ema", "last-raw") for c in ("fd/tiny-net-logits", "kid/tiny-net-logits")
    ]
    assert after["scores"][: len(before["scores"])] == before["scores"]
    added = after["scores"][len(before["scores"]) :]
    assert len(added) == 4 and all(s["added"].endswith("Z") and s["value"] is not None for s in added)
    assert added[1]["measurement"]["params"]["subset_size"] == 300, "the run's own parameters"
    assert {k: v for k, v in after.items() if k != "scores"} == {k: v for k, v in before.items() if k != "scores"}
    assert (run / "spec.json").read_bytes() == said and {p.relative_to(run) for p in run.rglob("*")} == files

    after["scores"][0]["value"] = 1.5
    (run / "result.json").write_text(json.dumps(after))
    ((old, new),) = rescored(tiny, run, scorer).changed
    assert old["value"] == 1.5 != new["value"] and old["column"] == "fd/tiny-net"
    assert json.loads((run / "result.json").read_text()) == after, "told, not taken"


def test_without_samples_there_is_nothing_to_score(tiny: Any, plugin: str) -> None:
    run = tiny.trained()
    spec = RunSpec.read(run)
    with pytest.raises(UsageError, match="is not finished"), staged(run, spec):
        pass
    (run / "trained.json").rename(run / "result.json")
    with pytest.raises(UsageError, match="holds no samples"), staged(run, spec):
        pass
