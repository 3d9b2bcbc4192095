"""Tests of one group go to one worker: what they share, a run of minutes say, is then made once."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("groups")
def test_the_workers_know_the_groups(request: pytest.FixtureRequest) -> None:
    """pytest-xdist 3.8.0 hangs a group onto a test's id, which pytest 9.2.0 does not let it, and says nothing."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("the tests are not spread over workers")
    assert request.node.nodeid.endswith("@groups"), "take the versions of constraints.txt"
