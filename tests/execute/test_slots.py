"""What --device and --jobs mean."""

from __future__ import annotations

import pytest

from ganbench.errors import UsageError
from ganbench.execute.sharing import most_at_once
from ganbench.execute.slots import Devices, cpu_cores, devices, seconds_left


@pytest.mark.parametrize(
    ("text", "gpus", "jobs", "expected"),
    [
        ("cpu", 2, 1, Devices("cpu", ("cpu",))),
        ("auto", 0, 1, Devices("cpu", ("cpu",))),
        ("auto", 2, None, Devices("cuda", ("cuda:0", "cuda:1"))),
        ("cuda", 3, 2, Devices("cuda", ("cuda:0", "cuda:1"))),
        ("cuda:1", 2, None, Devices("cuda", ("cuda:1",))),
        ("cuda", 1, 4, Devices("cuda", ("cuda:0",) * 4)),
        ("cuda:1", 2, 2, Devices("cuda", ("cuda:1", "cuda:1"))),
        ("auto", 2, 3, Devices("cuda", ("cuda:0", "cuda:1", "cuda:0"))),
    ],
)
def test_devices(text: str, gpus: int, jobs: int | None, expected: Devices) -> None:
    assert devices(text, lambda: gpus, jobs) == expected


def test_what_shares_a_gpu_is_told() -> None:
    """Only where two runs have it at the same time; and a core is never shared."""
    three, shared = devices("cuda", lambda: 2, 3), devices("cuda:0", lambda: 1, 4)
    assert three.taken(9) == [("cuda:0", True), ("cuda:1", False), ("cuda:0", True)]
    assert three.taken(2) == [("cuda:0", False), ("cuda:1", False)]
    assert shared.taken(9) == [("cuda:0", True)] * 4
    assert shared.taken(9, most=2) == [("cuda:0", True)] * 2 and shared.taken(9, most=1) == [("cuda:0", False)]
    assert Devices("cpu", ("cpu", "cpu")).taken(5, most=1) == [("cpu", False)] * 2
    assert [str(d) for d in (three, shared)] == ["2 GPUs, 3 runs at a time", "1 GPU, 4 runs at a time"]
    assert str(devices("cuda", lambda: 1)) == "1 GPU" and str(devices("cuda", lambda: 2)) == "2 GPUs"


def test_how_many_fit_is_told_by_those_that_finished() -> None:
    def record(peak: object, memory: object) -> dict[str, object]:
        return {"environment": {"gpu": {"memory": memory}}, "throughput": {"peak_memory_bytes": peak}}

    on_cpu = {"environment": {"gpu": None}, "throughput": {"peak_memory_bytes": 5 * 2**30}}
    small, large = record(2**30 // 2, 16 * 2**30), record(5 * 2**29, 16 * 2**30)
    assert most_at_once([]) is None and most_at_once([on_cpu, {}, record("much", None), {"throughput": None}]) is None
    assert most_at_once([{"environment": 5}, {"environment": {"gpu": [1]}, "throughput": [2]}]) is None, "no record"
    assert most_at_once([small]) == 8 and most_at_once([small, large, on_cpu]) == 4
    assert most_at_once([record(40 * 2**30, 16 * 2**30)]) == 1


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
