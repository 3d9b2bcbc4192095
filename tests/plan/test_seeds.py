"""Seeds are derived: the same everywhere and for ever, unrelated across axes."""

from __future__ import annotations

from ganbench.plan.seeds import derive


def test_the_derivation_never_changes() -> None:
    assert derive(0, "repetition", 0) == 4702086750283581801
    assert derive(7, "initialisation", "D", 3) == 3370421643078132482


def test_each_axis_counts() -> None:
    axes = [(s, p, *a) for s in range(20) for p in ("data", "latents") for a in ((), ("A",), (1,), ("A", 1), ("A1",))]
    seeds = {derive(*a) for a in axes}
    assert len(seeds) == len(axes)
    assert all(0 <= s < 2**63 for s in seeds)
    assert derive(1, "x", "ab", "c") != derive(1, "x", "a", "bc")
