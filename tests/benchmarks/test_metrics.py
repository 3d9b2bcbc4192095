"""Scores against torch-fidelity's own calls: the four metrics in one pass, and the two parts that are not its code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch_fidelity
from torch.utils.data import Subset
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

from ganbench.plugins import Registry
from ganbench.score.extraction import Extraction
from ganbench.score.fidelity import register
from ganbench_zoo.layers.frechet import distance, half

Compare = Callable[..., float]
ROUNDS, MOST_ROUNDS = 3, 15


def colour(x: np.ndarray) -> Subset:
    """Grey images as torch-fidelity wants them: a data set of uint8 `(3, H, W)`."""
    return Subset(torch.from_numpy(x).repeat(1, 3, 1, 1), range(len(x)))


def normal(n: int, width: int, seed: int) -> torch.Tensor:
    return torch.randn(n, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.benchmark(group="one pass")
@pytest.mark.parametrize(("images", "subsets"), [(1_000, 10), pytest.param(10_000, 100, marks=pytest.mark.full)])
@pytest.mark.filterwarnings("ignore:This DataLoader")
def test_one_pass_takes_half_the_time_of_separate_calls(
    compare: Compare, registry: Registry, images: int, subsets: int
) -> None:
    x, _ = registry.get("dataset", "mnist-5k").load("train")
    real, fake = (np.resize(side, (images, 1, 28, 28)) for side in (x[0::2], x[1::2]))
    fake = np.roll(fake, 1, 3)
    found = registry.find("extractor", "mnist-cnn")
    plan = {"name": found.name, "features": "features", "logits": "logits", "public": {}}
    under = Extraction(plan, found.record, found.provenance.sha256, found.record.weights(None), "cpu")
    name = register(under.record, under.weights.file, under.weights.sha256)
    metrics = [registry.get("metric", n) for n in ("classifier-score", "frechet-distance", "kid", "precision-recall")]
    sides = colour(fake), colour(real)

    def ours() -> None:
        features = under(real), under(fake)  # both, although a reference's are kept
        for metric in metrics:
            metric.compute(*features, {**metric.params, "subsets": subsets}, "cpu")

    def theirs() -> None:
        for call in ("isc", "fid", "kid", "prc"):
            torch_fidelity.calculate_metrics(
                input1=sides[0], input2=sides[1], **{call: True}, feature_extractor=name, kid_subsets=subsets,
                kid_subset_size=1_000, batch_size=250, cuda=False, cache=False, verbose=False,
            )  # fmt: skip

    assert compare(ours, theirs, 2.0, ROUNDS, MOST_ROUNDS) >= 2.0


@pytest.mark.benchmark(group="precision and recall")
def test_precision_and_recall_are_faster_and_the_same(compare: Compare, registry: Registry) -> None:
    metric = registry.get("metric", "precision-recall")
    real, fake = normal(2_000, 64, 0), normal(2_000, 64, 1) * 0.9

    def ours() -> dict[str, float]:
        return dict(metric.compute({"features": real}, {"features": fake}, metric.params, "cpu"))

    def theirs() -> dict[str, float]:
        found = prc_features_to_metric(
            fake, real, prc_neighborhood=3, prc_batch_size=1_000, save_cpu_ram=True, verbose=False
        )
        return {"precision": found[KEY_METRIC_PRECISION], "recall": found[KEY_METRIC_RECALL]}

    assert ours() == theirs()
    assert compare(ours, theirs, 2.0, ROUNDS, MOST_ROUNDS) >= 2.0


@pytest.mark.benchmark(group="Fréchet distance")
def test_the_frechet_distance_is_faster_and_the_same(compare: Compare, registry: Registry) -> None:
    metric = registry.get("metric", "frechet-distance")
    real, fake = normal(1_500, 512, 0), normal(1_500, 512, 1) * 0.9 + 0.05

    def ours() -> float:
        value: Any = metric.compute({"features": real}, {"features": fake}, metric.params, "cpu")["fd"]
        return float(value)

    def theirs() -> float:
        statistics = [fid_features_to_statistics(side) for side in (fake, real)]
        return float(fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID])

    assert ours() == pytest.approx(theirs(), abs=1e-6 * float(real.var(0).sum() + fake.var(0).sum()))
    kept = half(real, "cpu")
    # the distance alone: theirs comes without a sampling error, which takes as long again
    assert compare(lambda: distance(kept, fake, "cpu"), theirs, 1.5, ROUNDS, MOST_ROUNDS) >= 1.5
