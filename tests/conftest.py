"""What every test shares: one thread each, and the registry of the installed plugins."""

from __future__ import annotations

import os

import pytest

from ganbench import plugins

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # nothing above imports torch, which reads them once


@pytest.fixture(scope="session")
def registry() -> plugins.Registry:
    """Everything that the installed plugins register; not one of them may be broken."""
    found = plugins.load()
    assert not found.broken, [f"{b.source}: {b.reason}" for b in found.broken]
    return found
