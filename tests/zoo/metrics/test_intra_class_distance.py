"""Distances per class, against the same distance on each class alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganbench import Caution, UsageError
from ganbench_zoo.metrics import frechet_distance, intra_class_distance

Side = dict[str, Tensor]


def side(seed: int, shift: Tensor) -> Side:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(300) % 3
    return {"features": torch.randn(300, 4, generator=generator) + shift[labels][:, None], "labels": labels}


REAL, FAKE = side(0, torch.zeros(3)), side(1, torch.tensor([0.0, 0.5, 2.0]))


def intra(real: Side, fake: Side) -> dict[str, float]:
    return intra_class_distance.compute(real, fake, {}, "cpu")


def test_the_mean_and_the_worst_of_the_classes() -> None:
    each = [
        frechet_distance.compute(*({"features": s["features"][s["labels"] == c]} for s in (REAL, FAKE)), {}, "cpu")[
            "fd"
        ]
        for c in range(3)
    ]
    assert intra(REAL, FAKE) == pytest.approx({"intra-fd": sum(each) / 3, "intra-fd-worst": max(each)})
    assert each[2] == max(each) > 10


def test_ignored_labels_are_seen() -> None:
    mixed = FAKE | {"features": FAKE["features"].roll(1, 0)}
    whole = [frechet_distance.compute(REAL, fake, {}, "cpu")["fd"] for fake in (FAKE, mixed)]
    assert whole[0] == pytest.approx(whole[1]) and intra(FAKE, mixed)["intra-fd"] > 1


def test_small_and_empty_classes() -> None:
    few = {name: t[:12] for name, t in FAKE.items()}
    with pytest.warns(Caution, match="^4 samples of a class for 4 features"):
        intra(REAL, few)
    with pytest.raises(UsageError, match="0 samples of class 2 on one side"):
        intra(REAL, {name: t[FAKE["labels"] < 2] for name, t in FAKE.items()})
