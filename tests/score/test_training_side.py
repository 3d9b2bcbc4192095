"""A metric that looks at training samples, one that warns, and parameters that change no value."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganbench import plugins
from ganbench.plan.build import plan
from ganbench.plan.data import resolve_data
from ganbench.plan.suite import read_suite
from ganbench.score.scorer import Scorer

PLUGIN = '''
"""How many of the generated samples are training samples, and where those come from."""
import warnings
from ganbench import Caution, Column, Metric, Recipe, hookimpl

def compute(real, fake, params, device, training):
    assert set(training) == set(real) == set(fake) == {"samples", "features"}
    warnings.warn(Caution(f"{len(training['features'])} training samples"))
    warnings.warn("a library complains")
    known = {bytes(x.numpy()) for x in training["samples"]}
    return {"replayed": sum(bytes(x.numpy()) in known for x in fake["samples"]) / len(fake["samples"])}

@hookimpl
def ganbench_metrics():
    yield Metric("replayed", ("samples", "features", "training"), compute, (Column("replayed", "lower"),),
                 Recipe(power=1, chunk=8), neutral=("chunk",))
'''


@pytest.fixture
def scored(tiny: Any, plugin: str, tmp_path: Path) -> Any:
    """Scores of training samples as if generated, half of them changed in every pixel, under some params."""
    extra = tmp_path / "replayed.py"
    extra.write_text(PLUGIN)
    text = (tmp_path / "tiny.toml").read_text().replace('"label-gap"]', '"replayed"]')
    (tmp_path / "tiny.toml").write_text(text)
    registry = plugins.load([plugin, str(extra)])
    suite = read_suite(tmp_path / "tiny.toml")
    made = plan(suite, suite.tier(None), registry, resolve_data(suite, suite.tier(None), registry), device="cpu")
    run = next(r for r in made.runs if r.kind == "trained")
    scorer = Scorer([plugin, str(extra)])

    def score(name: str, **params: Any) -> dict[str, Any]:
        metrics = [
            m | {"params": {**m["params"], **params}} if m["name"] == "replayed" else m for m in run.score["metrics"]
        ]
        tiny.runs[run.entry["label"]] = replace(run, score={**run.score, "metrics": metrics})
        folder = tiny.trained(name, looks=[])
        x = tiny.images("train")[0][:600].copy()
        x[::2] ^= 1
        np.save(folder / "samples" / "last-ema.npy", x)
        scorer.score(folder)
        found = json.loads((folder / "result.json").read_text())["scores"]
        return next(s for s in found if s["column"] == "replayed/tiny-net" and s["variant"] == "last-ema")

    return score


def test_training_samples_reach_the_metric_and_are_in_the_fingerprint(scored: Any) -> None:
    with pytest.warns(UserWarning, match="a library complains"):
        first = scored("first")
    assert first["value"] == pytest.approx(0.5, abs=0.01)
    assert first["cautions"] == ["700 training samples"]
    side = first["measurement"]["training"]
    assert (side["dataset"], side["split"], side["size"]) == ("tiny", "train", 700) and len(side["sha256"]) == 64


@pytest.mark.filterwarnings("ignore:a library")
def test_a_neutral_parameter_is_in_no_fingerprint(scored: Any) -> None:
    first, neutral, other = scored("first"), scored("neutral", chunk=1), scored("other", power=2)
    assert first["fingerprint"] == neutral["fingerprint"] != other["fingerprint"]
    assert first["measurement"]["params"] == {"power": 1}


def test_scores_without_a_caution_have_no_such_field(tiny: Any, plugin: str) -> None:
    folder = tiny.trained()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Scorer([plugin]).score(folder)
    scores = json.loads((folder / "result.json").read_text())["scores"]
    assert scores and not any("cautions" in s or "training" in s["measurement"] for s in scores)
