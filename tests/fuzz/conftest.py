"""Lets the tests here import the modules beside them, and those of the tests of training and of tables; and holds every
test to some memory."""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

for folder in (Path(__file__).parent, Path(__file__).parents[1] / "train", Path(__file__).parents[1] / "rank"):
    sys.path.insert(0, str(folder))

MOST_MEMORY = 400 * 2**10
"""kB by which the process may grow over all cases of one kind."""


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEMORY
