"""The numbers that `torch_fidelity.calculate_metrics` gives for the same images and the extractor registered there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch_fidelity
from torch.utils.data import Dataset

from ganbench.score.extraction import prepare
from ganbench.score.fidelity import register


class Colour(Dataset):
    """Grey images as torch-fidelity wants them: uint8 `(3, H, W)`."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = torch.from_numpy(x).repeat(1, 3, 1, 1)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, at: int) -> torch.Tensor:
        return self.x[at]


def test_five_metrics_equal_torch_fidelitys(tiny: Any) -> None:
    registry, spec = tiny.registry, tiny.runs["mlp · non-saturating"]
    extraction = prepare(spec.score["extractors"][0], registry, {}, "cpu")
    real, _ = tiny.images("test")
    fake = (tiny.images("train")[0][:600] * 0.9).astype(np.uint8)
    sides = [extraction(x) for x in (real, fake)]
    ours: dict[str, float] = {}
    for planned in spec.score["metrics"][:4]:
        metric = registry.get("metric", planned["name"])
        cap = {"samples": 700} if "samples" in metric.params else {}
        ours |= metric.compute(*sides, {**metric.params, **planned["params"], **cap}, "cpu")
    weights = extraction.weights
    theirs = torch_fidelity.calculate_metrics(
        input1=Colour(fake),
        input2=Colour(real),
        feature_extractor=register(extraction.record, weights.file, weights.sha256),
        isc=True, fid=True, kid=True, prc=True,
        isc_splits=10, kid_subsets=5, kid_subset_size=300, prc_neighborhood=3, prc_batch_size=1000,
        kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1.0,
        samples_shuffle=True, rng_seed=2020, batch_size=64,
        cuda=False, cache=False, save_cpu_ram=True, verbose=False,
    )  # fmt: skip
    traces = sum(float(side["features"].var(0).sum()) for side in sides)
    assert ours["fd"] == pytest.approx(theirs["frechet_inception_distance"], abs=1e-6 * traces)
    assert ours["fd"] > 100e-6 * traces  # the two sides differ
    assert ours["kid"] == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-6, abs=1e-6)
    assert ours["classifier-score"] == pytest.approx(theirs["inception_score_mean"], rel=1e-6)
    assert ours["precision"] == pytest.approx(theirs["precision"], abs=1e-6)
    assert ours["recall"] == pytest.approx(theirs["recall"], abs=1e-6)


def test_registering_twice_is_one(tiny: Any) -> None:
    extractor = tiny.registry.get("extractor", "tiny-net")
    weights = extractor.weights(None)
    names = {register(extractor, weights.file, weights.sha256) for _ in range(2)}
    assert len(names) == 1
