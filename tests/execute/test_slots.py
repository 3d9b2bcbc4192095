"""What --device and --jobs mean."""

from __future__ import annotations

import pytest

from ganbench.errors import UsageError
from ganbench.execute.slots import Devices, cpu_cores, devices, seconds_left


@pytest.mark.parametrize(
    ("text", "gpus", "jobs", "expected"),
    [
        ("cpu", 2, 1, Devices("cpu", ("cpu",))),
        ("auto", 0, 1, Devices("cpu", ("cpu",))),
        ("auto", 2, None, Devices("cuda", ("cuda:0", "cuda:1"))),
        ("cuda", 3, 2, Devices("cuda", ("cuda:0", "cuda:1"))),
        ("cuda:1", 2, None, Devices("cuda", ("cuda:1",))),
    ],
)
def test_devices(text: str, gpus: int, jobs: int | None, expected: Devices) -> None:
    assert devices(text, lambda: gpus, jobs) == expected


def test_a_cpu_has_a_slot_per_core_and_asks_for_no_gpu() -> None:
    def gpus() -> int:
        raise AssertionError("counting GPUs costs the import of torch")

    assert devices("cpu", gpus).slots == ("cpu",) * cpu_cores()
    assert len(devices("cpu", gpus, 10_000).slots) == cpu_cores()


@pytest.mark.parametrize(
    ("text", "jobs", "reason"),
    [
        ("cuda:9", None, "there are: cuda:0, cuda:1"),
        ("mps", None, "deterministic"),
        ("tpu", None, "must be auto, cpu, cuda or cuda:N"),
        ("cpu:0", None, "must be auto"),
        ("cuda:-1", None, "must be auto"),
        ("cpu", 0, "at least 1"),
    ],
)
def test_what_is_not_there(text: str, jobs: int | None, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        devices(text, lambda: 2, jobs)


def test_no_gpu_at_all() -> None:
    with pytest.raises(UsageError, match="finds no GPU"):
        devices("cuda", lambda: 0)


def test_the_estimate_counts_whole_rounds() -> None:
    assert seconds_left(5, 2, 10.0) == 30.0
    assert seconds_left(0, 2, 10.0) == 0.0
    assert seconds_left(0, 2, 10.0, scale_rows=2) > 0.0
    assert seconds_left(5, 2, 0.0) is None
