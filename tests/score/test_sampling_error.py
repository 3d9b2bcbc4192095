"""The jackknife by itself; what metrics' errors are worth is tested with the metrics."""

from __future__ import annotations

import math

import torch

from ganbench import Column, Metric
from ganbench.score.sampling_error import described, with_jackknife


def test_values_too_large_to_be_squared_have_no_error() -> None:
    def compute(real, fake, params, device):
        return {"total": 1e200 * float(fake["samples"].sum())}

    metric = Metric("total", ("samples",), compute, (Column("total", "none"),), jackknife=4)
    side = {"samples": torch.arange(40.0)}
    found = with_jackknife(compute(side, side, {}, "cpu"), metric, side, side, {}, "cpu")
    assert math.isfinite(found["total"]) and described(found["total"]) == {"sampling_error": None}
