"""A registry with little parts, and a way to write a suite and to plan it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganbench import plugins
from ganbench.plan.build import Plan, plan
from ganbench.plan.data import resolve_data
from ganbench.plan.entries import Wishes
from ganbench.plan.scoring import Choice
from ganbench.plan.suite import read_suite

PARTS = Path(__file__).with_name("parts.py")
SUITE = """
title = "Points"
version = 2
seed = 7
dataset = "t-points"
extractor = "t-eye"
metrics = ["t-fd", "t-score", "t-count"]
headline = "t-distance/t-eye"
scale = ["t-real", "t-zero"]

[tiers.quick]
budget = { generator_steps = 40 }
seeds = 2
samples = 100
params = { t-fd = { subsets = 3 } }
"""
ENTRIES = 'entries = [{ architecture = ["t-small", "t-bare"], loss = ["t-plain", "t-alone"] }]\n'


@pytest.fixture(scope="session")
def parts() -> plugins.Registry:
    return plugins.load([str(PARTS)])


@pytest.fixture
def planned(parts: plugins.Registry, tmp_path: Path) -> Callable[..., Plan]:
    """Plans a suite: its tier's lines after the fixed ones, and what the command line says."""

    def make(
        tier: str = ENTRIES,
        *,
        text: str = SUITE,
        device: str = "cpu",
        dataset: str | None = None,
        seeds: tuple[int, ...] | None = None,
        choice: Choice | None = None,
        **wishes: Any,
    ) -> Plan:
        file = tmp_path / "points.toml"
        file.write_text(text + tier)
        suite = read_suite(file)
        data = resolve_data(suite, suite.tier(None), parts, dataset)
        return plan(
            suite,
            suite.tier(None),
            parts,
            data,
            device=device,
            wishes=Wishes(**wishes),
            choice=choice,
            seeds=seeds,
        )

    return make


@pytest.fixture
def suite_text() -> str:
    """A suite file but for the entries of its tier."""
    return SUITE
