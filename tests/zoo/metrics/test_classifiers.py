"""Metrics that train a classifier, on classes that can be told apart exactly as well as one makes them."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor

from ganbench import Caution, UsageError
from ganbench_zoo.layers.probe import accuracy, fit
from ganbench_zoo.metrics import classification_accuracy, two_sample_test

pytestmark = pytest.mark.filterwarnings("ignore:the gain at")
Side = dict[str, Tensor]
(CAS,) = classification_accuracy.ganbench_metrics()
(C2ST,) = two_sample_test.ganbench_metrics()


def classes(n: int, seed: int, apart: float = 6.0) -> Side:
    """Four Gaussian classes around the axes' ends."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (n,), generator=generator)
    return {"features": torch.randn(n, 5, generator=generator) + apart * torch.eye(4, 5)[labels], "labels": labels}


def cas(made: Side) -> dict[str, float]:
    return dict(CAS.compute(classes(600, 0), made, CAS.params, "cpu", classes(1_200, 1)))


def c2st(real: Tensor, fake: Tensor, **params: Any) -> float:
    return C2ST.compute({"features": real}, {"features": fake}, {**C2ST.params, **params}, "cpu")["c2st"]


def test_the_probe_reaches_the_best_accuracy_there_is() -> None:
    train, test = classes(1_000, 2, apart=2.0), classes(2_000, 3, apart=2.0)
    best = (test["features"][:, :4].argmax(1) == test["labels"]).float().mean()
    for hidden in (0, 16):
        predict = fit(train["features"], train["labels"], 4, torch.Generator(), hidden=hidden)
        assert accuracy(predict, test["features"], test["labels"]) == pytest.approx(float(best), abs=0.02)


def test_a_hidden_layer_learns_what_no_line_can() -> None:
    x = torch.randn(1_000, 2, generator=torch.Generator().manual_seed(4))
    y = (x.prod(1) > 0).long()
    line, curve = (accuracy(fit(x, y, 2, torch.Generator(), hidden=h), x, y) for h in (0, 16))
    assert line < 0.65 < 0.95 < curve


def test_real_looking_samples_train_a_good_classifier() -> None:
    values = cas(classes(800, 4))
    assert values["cas"] > 0.99 and values["cas-reverse"] > 0.99
    assert max(abs(values[f"gain-{size}"]) for size in (100, 1_000, 10_000)) < 0.02


def test_a_class_that_is_missing_costs_its_share() -> None:
    made = classes(800, 5)
    kept = made["labels"] > 0
    values = cas({name: t[kept] for name, t in made.items()})
    assert values["cas"] == pytest.approx(0.75, abs=0.05) and values["cas-reverse"] > 0.99


def test_wrong_labels_make_real_samples_worse() -> None:
    made = classes(800, 6)
    values = cas(made | {"labels": (made["labels"] + 1) % 4})
    assert values["cas"] < 0.01 and values["cas-reverse"] < 0.01
    assert values["gain-100"] < -0.5 and values["gain-100"] < values["gain-1000"]


def test_more_samples_help_where_few_are_real() -> None:
    few, many, test = (classes(n, seed, apart=1.5) for n, seed in ((100, 7), (4_000, 8), (2_000, 9)))
    values = CAS.compute(test, many, CAS.params, "cpu", few)
    assert values["gain-100"] > 0.01


def test_a_detector_is_at_chance_on_equal_distributions_and_sees_a_shift() -> None:
    a, b = (torch.randn(2_000, 5, generator=torch.Generator().manual_seed(s)) for s in (10, 11))
    assert c2st(a, b) == pytest.approx(0.5, abs=0.04)  # 2.5 standard errors of 2,000 decisions, and the fit's own
    best = float(torch.distributions.Normal(0, 1).cdf(torch.tensor(0.5 * 5**0.5)))  # of any detector, for a shift of 1
    assert c2st(a, b + 1) == pytest.approx(best, abs=0.03)
    assert c2st(a, 1.8 * b) > 0.65  # a line sees nothing there
    assert c2st(a, b + 1, seed=1) != c2st(a, b + 1)


def test_a_gain_at_more_real_samples_than_there_are_says_so() -> None:
    test, made, learnt = classes(600, 0), classes(600, 2), classes(1_200, 1)
    with pytest.warns(Caution, match="the gain at 10,000 real samples is one at 1,200") as caught:
        CAS.compute(test, made, CAS.params, "cpu", learnt)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error", Caution)
        CAS.compute(test, made, CAS.params, "cpu", classes(10_000, 1))


def test_labels_below_zero_are_named() -> None:
    made = classes(300, 12)
    with pytest.raises(UsageError, match="labels below 0"):
        cas(made | {"labels": made["labels"] - 1})
