"""What a generator makes that is not finite: a failure of the generator, recorded as one and ranked as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ganbench import plugins
from ganbench.plan.build import plan
from ganbench.plan.data import resolve_data
from ganbench.plan.suite import read_suite
from ganbench.rank import leaderboards
from ganbench.score.scorer import Scorer

PLUGIN = '''
"""A network whose features of a black picture are infinite, and a metric that is infinite where all are alike."""
import hashlib
import torch
from pathlib import Path
from ganbench import Column, Extractor, Images, Metric, Weights, hookimpl

class Network(torch.nn.Module):
    def forward(self, x):
        return torch.log(x.float().flatten(1).mean(1, keepdim=True)).expand(-1, 3)

def weights(path=None):
    return Weights(Path(__file__), hashlib.sha256(Path(__file__).read_bytes()).hexdigest(), official=True)

def compute(real, fake, params, device):
    return {"sharpness": float(1 / fake["samples"].float().std())}

@hookimpl
def ganbench_extractors():
    yield Extractor("log-net", lambda weights, layers: Network(), weights, accepts=Images((8,)), width=3,
                    logits=None, preprocessing="log", images_per_second=1e5)

@hookimpl
def ganbench_metrics():
    yield Metric("sharpness", ("samples",), compute, (Column("sharpness", "lower"),))
'''


@pytest.mark.parametrize(
    ("headline", "shade", "says"),
    [("fd/log-net", 0, "generated features are not finite"), ("sharpness", 9, "the value is inf")],
)
def test_it_counts_as_diverged(tiny: Any, plugin: str, tmp_path: Path, headline: str, shade: int, says: str) -> None:
    extra = tmp_path / "log_net.py"
    extra.write_text(PLUGIN)
    text = (tmp_path / "tiny.toml").read_text().replace('"tiny-net"', '"log-net"').replace("fd/tiny-net", headline)
    metrics = text[text.index("metrics") : text.index("headline")]
    text = text.replace(metrics, 'metrics = ["frechet-distance", "sharpness"]\n').replace("params", "# params")
    (tmp_path / "tiny.toml").write_text(text)
    registry = plugins.load([plugin, str(extra)])
    suite = read_suite(tmp_path / "tiny.toml")
    made = plan(suite, suite.tier(None), registry, resolve_data(suite, suite.tier(None), registry), device="cpu")
    tiny.runs = {run.entry["label"]: run for run in made.runs}
    folder = tiny.trained(looks=[])
    np.save(folder / "samples" / "last-ema.npy", np.full((600, 1, 8, 8), shade, np.uint8))
    Scorer([plugin, str(extra)]).score(folder)
    scores = {(s["variant"], s["column"]): s for s in json.loads((folder / "result.json").read_text())["scores"]}
    lost = scores["last-ema", headline]
    assert (lost["value"], lost["skipped"], lost["not_finite"]) == (None, says, True)
    assert lost["comparability"] == scores["last-raw", headline]["comparability"]
    assert "not_finite" not in scores["last-raw", headline] and scores["last-raw", headline]["value"] is not None
    (board,) = leaderboards([folder])
    rows = board.frame.set_index("variant")
    assert rows.loc["last-ema", ["section", "n", "diverged", "reason"]].tolist() == ["unranked", 1, 1, says]
    assert rows.loc["last-raw", ["section", "n", "diverged"]].tolist() == ["entries", 1, 0]
