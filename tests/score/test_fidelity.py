"""Extractors in torch-fidelity's registry (that its numbers are the same: `test_agreement.py`)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from ganbench.score.fidelity import register


def test_registering_twice_is_one(tiny: Any) -> None:
    extractor = tiny.registry.get("extractor", "tiny-net")
    weights = extractor.weights(None)
    names = {register(extractor, weights.file, weights.sha256) for _ in range(2)}
    assert len(names) == 1


def test_a_build_with_arguments_of_its_own_is_registered_under_a_name_of_its_own(tiny: Any) -> None:
    """A `functools.partial` has no qualified name, and two of one function are two networks."""
    extractor = tiny.registry.get("extractor", "tiny-net")

    def build(scale: float, weights: Any, layers: tuple[str, ...]) -> Any:
        return extractor.build(weights, layers)

    found = [replace(extractor, build=partial(build, scale)) for scale in (1.0, 1.0, 2.0)]
    weights = extractor.weights(None)
    one, same, other = (register(e, weights.file, weights.sha256) for e in found)
    assert one == same != other
