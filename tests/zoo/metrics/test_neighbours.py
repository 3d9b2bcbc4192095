"""Precision, recall, density and coverage against other implementations; memory changes no value, and is bounded."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor

from ganbench import Metric
from ganbench_zoo.metrics import density_coverage, precision_recall

METRICS: dict[str, Metric] = {
    m.name: m for module in (precision_recall, density_coverage) for m in module.ganbench_metrics()
}


@pytest.fixture(scope="module")
def sides() -> tuple[Tensor, Tensor]:
    """Points without ties; the generated ones are shifted and narrower."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(900, 12, generator=generator), 0.8 * torch.randn(700, 12, generator=generator) + 0.3


def measure(name: str, sides: tuple[Tensor, Tensor], **params: Any) -> dict[str, float]:
    real, fake = ({"features": side} for side in sides)
    return dict(METRICS[name].compute(real, fake, {**METRICS[name].params, **params}, "cpu"))


@pytest.mark.parametrize("k", [1, 5])
def test_four_columns_equal_prdcs(sides: tuple[Tensor, Tensor], k: int) -> None:
    prdc = pytest.importorskip("prdc")
    theirs = prdc.compute_prdc(*(side.double().numpy() for side in sides), nearest_k=k)
    ours = measure("precision-recall", sides, neighborhood=k) | measure("density-coverage", sides, neighbours=k)
    assert 0.1 < theirs["recall"] < theirs["precision"] < 1 or k == 1
    assert ours == pytest.approx(theirs, abs=1e-6)


def test_torch_fidelitys_precision_and_recall_exactly(sides: tuple[Tensor, Tensor]) -> None:
    from torch_fidelity.metric_prc import prc_features_to_metric

    real, fake = sides
    for few in (True, False):
        theirs = prc_features_to_metric(
            fake, real, prc_neighborhood=3, prc_batch_size=1000, save_cpu_ram=few, verbose=False
        )
        ours = measure("precision-recall", sides)
        assert ours == {key: theirs[key] for key in ("precision", "recall")}


@pytest.mark.parametrize("name", METRICS)
def test_memory_changes_no_value(sides: tuple[Tensor, Tensor], name: str) -> None:
    whole = measure(name, sides)
    assert all(0 < value < 3 for value in whole.values())
    for memory in (1e-9, 5e-5, 1e-3):  # one row at a time, three, some seventy
        again = measure(name, sides, memory=memory)
        assert again == whole and [v.error for v in again.values()] == [v.error for v in whole.values()]
    assert METRICS[name].neutral == ("memory",)


PEAK = """
import torch
from ganbench.train.device import peak_memory
from ganbench_zoo.metrics.{module} import compute, ganbench_metrics
(metric,) = ganbench_metrics()
sides = [dict(features=torch.randn({n}, 128, generator=torch.Generator().manual_seed(s))) for s in (0, 1)]
small = [dict(features=side["features"][:200]) for side in sides]
compute(*small, metric.params, "cpu")
before = peak_memory(torch.device("cpu"))
compute(*sides, metric.params, "cpu")
print(peak_memory(torch.device("cpu")) - before)
"""


@pytest.mark.full
@pytest.mark.parametrize("module", ["density_coverage", "precision_recall"])
def test_fifty_thousand_against_fifty_thousand_in_two_gigabytes(module: str) -> None:
    code = PEAK.format(module=module, n=50_000)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    peak = int(done.stdout) / 1e9
    print(f"{module}: {peak:.2f} GB beyond the features")
    assert 0.1 < peak < 2
