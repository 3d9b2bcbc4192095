"""The comparison that a CUDA machine makes, tried out on a processor: what is kept of it when something goes wrong."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from ganbench import SampleSpec


@pytest.fixture
def modes_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import modes_on

    monkeypatch.setattr(modes_on, "ROUND", 0.001)
    threads = torch.get_num_threads()
    yield modes_on
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("default")


def compare(modes_on: Any, out: Path, modes: str = "reference,fast,captured", rounds: int = 4) -> dict[str, Any]:
    contest = modes_on.Contest("mlp", SampleSpec((1, 8, 8)), 1, {"width": 8}, "non-saturating")
    asked = {"device": "cpu", "modes": modes, "loss": "non-saturating", "rounds": rounds, "limit": 60.0, "out": out}
    modes_on.against(contest, argparse.Namespace(**asked))
    found: dict[str, Any] = json.loads(out.read_text())
    return found


@pytest.mark.parametrize("call", [1, 9])
def test_a_mode_that_breaks_costs_no_other(
    call: int, modes_on: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its beginning or in a round; and a mode that the device cannot have is named."""
    real = modes_on._timed
    calls = []

    def breaking(name: str, *side: Any) -> float:
        calls.extend([name] * (name == "fast"))
        if name == "fast" and len(calls) == call:
            raise RuntimeError("no such kernel")
        return float(real(name, *side))

    monkeypatch.setattr(modes_on, "_timed", breaking)
    found = compare(modes_on, tmp_path / "speed.json", rounds=8)
    assert len(calls) == call and found["rounds"] == 8
    assert found["modes"].keys() == {"plain as torch is", "plain as a run is", "reference"}
    assert found["refused"]["fast"] == "RuntimeError: no such kernel" and found["refused"].keys() == {
        "fast",
        "captured",
    }
    assert all(0 < m["low"] <= m["ratio"] <= m["high"] for m in found["modes"].values())


def test_what_was_measured_stays_when_time_is_up_or_a_plain_loop_breaks(
    modes_on: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = modes_on._timed, 0

    def broken(name: str, *side: Any) -> float:
        nonlocal calls
        calls += name == "plain as a run is"
        if calls == 4 + 5:  # four to find its size
            raise RuntimeError("the device is lost")
        return float(real(name, *side))

    monkeypatch.setattr(modes_on, "_timed", broken)
    with pytest.raises(RuntimeError, match="lost"):
        compare(modes_on, tmp_path / "speed.json", "reference", rounds=20)
    assert json.loads((tmp_path / "speed.json").read_text())["rounds"] == 4
