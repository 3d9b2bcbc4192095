"""How two sides are compared: one interleaved run on one thread, the ratio of their times, its interval over rounds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # for `loops`

Side = Callable[[], Any]
Compare = Callable[..., float]


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def compare(benchmark: Any, one_thread: None) -> Compare:
    """`compare(ours, theirs, claim, rounds, most)`: the lower end of the 95 % interval of the median of theirs / ours.

    Both run once beforehand. Where a noisy machine has neither shown nor refuted the claim, there are up to `most`
    rounds. The ratio is in the benchmark's extra information.
    """

    from loops import interval_of_median

    def run(ours: Side, theirs: Side, claim: float, rounds: int, most: int) -> float:
        sides = (ours, theirs)
        for side in sides:
            side()
        ratios: list[float] = []

        def one_round() -> None:
            order = (0, 1) if len(ratios) % 2 else (1, 0)
            passed = [0.0, 0.0]
            for number in order:
                start = time.perf_counter()
                sides[number]()
                passed[number] = time.perf_counter() - start
            ratios.append(passed[1] / passed[0])

        benchmark.pedantic(one_round, rounds=rounds, iterations=1)
        low, high = interval_of_median(np.array(ratios))
        while low < claim <= high and len(ratios) < most:
            one_round()
            low, high = interval_of_median(np.array(ratios))
        facts = {"ratio": float(np.median(ratios)), "low": low, "high": high, "rounds": len(ratios), "threads": 1}
        benchmark.extra_info.update(facts, torch=torch.__version__, dtype="float32")
        print(f"theirs / ours: {facts['ratio']:.3f} [{low:.3f}, {high:.3f}] over {len(ratios)} rounds")
        return low

    return run
