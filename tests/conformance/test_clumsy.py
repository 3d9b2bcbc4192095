"""What authors do in haste: each is a failed check with its own words, and none ends the kit."""

from __future__ import annotations

import pytest

from ganbench import conformance, plugins

HASTE = """
import sys
import numpy as np
from ganbench import Column, Dataset, Loss, Metric, SampleSpec, hookimpl

class Mute(Exception):
    def __str__(self):
        raise ValueError("nothing to say")

def mute(*given):
    raise Mute

def leave(*given):
    sys.exit(0)

def D_loss(D, real, fake):
    return D(fake) - D(real)

def no_return(D, fake):
    -D(fake)

def gone(D, fake):
    sys.exit(0)

@hookimpl
def ganbench_losses():
    yield Loss("no-return", D_loss, no_return)
    yield Loss("gone", D_loss, gone)

@hookimpl
def ganbench_metrics():
    for name, compute in (("mute", mute), ("leave", leave), ("listed", lambda *given: [1.0])):
        yield Metric(name, ("features",), compute, (Column(name, "lower"),))

def data(name, load):
    return Dataset(name, SampleSpec((2,), None, "points", 3), load, splits=("train",))

@hookimpl
def ganbench_datasets():
    yield data("nothing", lambda split: None)
    yield data("empty", lambda split: (np.zeros((0, 2), np.float32), np.zeros(0, np.int64)))
    yield data("listed-labels", lambda split: (np.zeros((2, 2), np.float32), [0, 1]))
"""
FOUND = {
    "loss/no-return": ("trains", "no-return gives nothing in turn G; a term gives one value per sample"),
    "loss/gone": ("trains", "SystemExit: 0 (haste.py, line 23)"),
    "metric/mute": ("columns", "Mute (haste.py, line 11)"),
    "metric/leave": ("columns", "SystemExit: 0 (haste.py, line 14)"),
    "metric/listed": ("columns", "compute gives a list instead of {column: value}"),
    "dataset/nothing": ("samples", 'load("train") gives a NoneType instead of (samples, labels or None)'),
    "dataset/empty": ("samples", "split train is empty"),
    "dataset/listed-labels": ("labels", "labels of split train are a list"),
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> plugins.Registry:
    file = tmp_path_factory.mktemp("haste") / "haste.py"
    file.write_text(HASTE)
    return plugins.load([str(file)])


@pytest.mark.parametrize("name", FOUND)
def test_what_is_done_in_haste_is_found(name: str, registry: plugins.Registry) -> None:
    check, words = FOUND[name]
    found = conformance.targets(registry, [name])
    outcomes = {case.name: case.run() for case in conformance.cases(found, registry)}
    assert outcomes[check].failed and words in outcomes[check].what
    assert all("\n" not in outcome.what for outcome in outcomes.values())
