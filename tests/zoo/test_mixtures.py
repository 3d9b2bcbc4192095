"""Points from known mixtures, and what `modes` says of samples whose answer can be worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench import UsageError, plugins
from ganbench.plan.build import plan
from ganbench.plan.data import resolve_data
from ganbench.plan.suite import read_suite
from ganbench.record.files import content_hash
from ganbench_zoo.layers.mixtures import MIXTURES

HASHES = {"ring": "0b0b0d0710b7", "grid": "d5dd0c191762"}
CENTERS = {name: torch.tensor(m.centers) for name, m in MIXTURES.items()}


def measured(registry: plugins.Registry, points: torch.Tensor, mixture: str = "ring") -> dict[str, float]:
    metric = registry.get("metric", "modes")
    return metric.compute({}, {"samples": points}, {**metric.params, "mixture": mixture}, "cpu")


@pytest.mark.parametrize("name", MIXTURES)
def test_the_data_is_the_mixture_and_always_the_same(registry: plugins.Registry, name: str) -> None:
    load, mixture = registry.get("dataset", name).load, MIXTURES[name]
    x, y = load("train")
    assert x.shape == (100_000, 2) and x.dtype == np.float32 and set(y) == set(range(len(mixture.centers)))
    apart = x - np.array(mixture.centers)[y]
    assert apart.std(0) == pytest.approx([mixture.sigma] * 2, rel=0.02)
    assert np.bincount(y).std() / np.bincount(y).mean() < 0.03
    assert content_hash(*load("val")) == content_hash(*load("val")) != content_hash(*load("test"))
    assert content_hash(x, y).startswith(HASHES[name]), "the numbers drawn are not those of other machines"
    with pytest.raises(UsageError, match=f"{name} has no split 'valid'"):
        load("valid")


def test_the_published_geometry() -> None:
    assert len(MIXTURES["ring"].centers) == 8 and MIXTURES["ring"].sigma == 0.01
    assert all(math.hypot(*center) == pytest.approx(1.0) for center in MIXTURES["ring"].centers)
    assert set(MIXTURES["grid"].centers) == {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert MIXTURES["grid"].sigma == 0.05


@pytest.mark.parametrize("name", MIXTURES)
def test_real_points_have_every_mode_and_no_divergence(registry: plugins.Registry, name: str) -> None:
    x, _ = registry.get("dataset", name).load("test")
    found = measured(registry, torch.from_numpy(x), name)
    assert found["modes"] == len(MIXTURES[name].centers)
    assert found["high-quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.004)
    cells = len(MIXTURES[name].centers) + 1
    assert found["mode-kl"] < 3 * cells / (2 * len(x)) and found["reverse-kl"] < 3 * cells / (2 * len(x))


def test_one_mode_and_none(registry: plugins.Registry) -> None:
    alone = measured(registry, CENTERS["ring"][:1].repeat(500, 1))
    assert alone["modes"] == 1 and alone["high-quality"] == 1.0
    assert alone["reverse-kl"] == pytest.approx(math.log(8))
    assert alone["mode-kl"] == pytest.approx(math.log(8) - math.log(1 - math.exp(-4.5)))
    outside = measured(registry, 0.5 * CENTERS["ring"].repeat(50, 1))
    assert outside["modes"] == 0 and outside["high-quality"] == 0.0
    assert outside["reverse-kl"] == 0.0 and outside["mode-kl"] == pytest.approx(4.5)


def test_the_edge_is_strict_and_near_counts(registry: plugins.Registry) -> None:
    """Half of the samples 2.9 σ from one mode, half 3.1 σ from another; on the grid, whose modes are exact."""
    near, far = torch.tensor([[0.145, 0.0]]), torch.tensor([[2.155, 0.0]])
    found = measured(registry, torch.cat([near, far]).repeat(10, 1), "grid")
    assert (found["modes"], found["high-quality"]) == (1.0, 0.5)
    assert found["reverse-kl"] == pytest.approx(math.log(25 / 2))
    exactly = measured(registry, torch.tensor([[MIXTURES["grid"].sigma * 3, 0.0]], dtype=torch.float64), "grid")
    assert exactly["high-quality"] == 0.0


def test_wrong_mixtures_and_samples_are_named(registry: plugins.Registry) -> None:
    with pytest.raises(UsageError, match=r"no mixture 'rign'; there are: ring, grid"):
        measured(registry, CENTERS["ring"], "rign")
    with pytest.raises(UsageError, match="takes points in the plane"):
        measured(registry, torch.zeros(4, 1, 2, 2))


@pytest.mark.parametrize("name", MIXTURES)
def test_the_suite_measures_without_an_extractor(registry: plugins.Registry, name: str) -> None:
    suite = read_suite(Path(registry.get("suite", name).file))
    for word in suite.tiers:
        tier = suite.tier(word)
        made = plan(suite, tier, registry, resolve_data(suite, tier, registry), device="cpu")
        assert made.runs[0].suite["columns"] == ["mode-kl", "modes", "high-quality", "reverse-kl"]
        assert made.runs[0].score["metrics"][0]["params"]["mixture"] == name
        assert not any(run.skip for run in made.runs)
