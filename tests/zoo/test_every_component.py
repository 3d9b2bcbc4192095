"""The conformance kit over everything that is registered, now and later: no name of the zoo stands here."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from ganbench import conformance, plugins
from ganbench.storage import offline

REGISTRY = plugins.load()
CASES = [
    pytest.param(case, id=str(case), marks=pytest.mark.xdist_group(f"{entry.kind}/{entry.name}"))
    for kind in plugins.KINDS
    for entry in REGISTRY.of(kind)
    for case in conformance.cases([entry], REGISTRY)
]


@pytest.mark.parametrize("case", CASES)
def test_keeps_its_contract(case: conformance.Case) -> None:
    """Each check of each component; a warning counts as well, for the zoo has its papers and stays short."""
    # weights of gigabytes are checked where they lie, and not fetched for a test
    with offline() if case.registered.kind == "extractor" else nullcontext():
        outcome = case.run()
    if outcome.status == "skipped":
        pytest.skip(outcome.what)
    assert outcome.status == "ok", str(outcome)
