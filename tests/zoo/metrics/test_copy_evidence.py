"""Copy evidence on points: the share of copies, whatever else the generator does well or badly."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganbench import UsageError
from ganbench_zoo.metrics import copy_evidence

METRICS = {m.name: m for m in copy_evidence.ganbench_metrics()}


def normal(n: int, seed: int) -> Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed))


REAL, SEEN, MADE = normal(4_000, 0), normal(6_000, 1), normal(2_000, 2)


def evidence(made: Tensor, real: Tensor = REAL, name: str = "copy-evidence", **params: Any) -> float:
    metric = METRICS[name]
    sides = ({metric.needs[0]: side} for side in (real, made, SEEN))
    first, second, third = sides
    (value,) = metric.compute(first, second, {**metric.params, **params}, "cpu", third).values()
    return value


def copied(share: float) -> Tensor:
    n = round(share * len(MADE))
    return torch.cat([SEEN[:n], MADE[n:]])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.2, 1.0])
def test_the_share_of_copies_is_found(share: float) -> None:
    assert evidence(copied(share)) == pytest.approx(
        share, abs=0.009
    )  # three standard deviations, the threshold's own included


@pytest.mark.parametrize(
    "honest", [0.3 * MADE, 3 * MADE, MADE + 2, MADE[MADE[:, 0] > 0]], ids=["narrow", "wide", "shifted", "half"]
)
def test_a_bad_generator_that_does_not_copy_is_not_accused(honest: Tensor) -> None:
    assert evidence(honest) < 0.01


def test_nearly_copied_is_nearly_as_bad_as_copied() -> None:
    near = copied(0.5) + 0.02 * normal(len(MADE), 3)
    assert 0.4 < evidence(near) < 0.52


def test_memory_changes_no_value_and_pixels_are_samples() -> None:
    made = copied(0.2)
    assert evidence(made, memory=1e-2) == evidence(made)
    assert evidence(made.view(-1, 1, 2, 3), REAL.view(-1, 1, 2, 3), "copy-evidence-pixels") == evidence(made)


def test_a_picture_among_seen_and_unseen_is_a_copy() -> None:
    assert evidence(SEEN[:2_000], torch.cat([REAL, SEEN[:10]])) == pytest.approx(1, abs=0.02)


def test_a_level_that_no_sample_can_reach_is_named() -> None:
    with pytest.raises(UsageError, match=r"a level of 0.01 of 50 real samples"):
        evidence(MADE, REAL[:100])
