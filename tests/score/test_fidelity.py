"""Extractors in torch-fidelity's registry (that its numbers are the same: `test_agreement.py`)."""

from __future__ import annotations

from typing import Any

from ganbench.score.fidelity import register


def test_registering_twice_is_one(tiny: Any) -> None:
    extractor = tiny.registry.get("extractor", "tiny-net")
    weights = extractor.weights(None)
    names = {register(extractor, weights.file, weights.sha256) for _ in range(2)}
    assert len(names) == 1
