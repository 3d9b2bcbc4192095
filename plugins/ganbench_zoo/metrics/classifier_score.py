"""Classifier score: the Inception score under whichever classifier is used.  Salimans et al. 2016, arXiv:1606.03498.

    exp E_x KL(p(y | x) ‖ p(y)), the mean over `splits` equal parts of the samples

It looks at generated samples only and lies between 1 and the number of classes. No ordering is claimed from it: one
perfect prototype of each class scores higher than real data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ganbench import Column, Measured, Metric, Recipe, UsageError, hookimpl
from ganbench_zoo.layers.sampling import FIRST_ORDER, of_mean


def compute(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """Class logits `(N, classes)` of the generated side to the score. `seed` shuffles the samples before the split."""
    from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, isc_features_to_metric

    logits, splits = fake["logits"].float(), int(params["splits"])
    if len(logits) < splits:
        raise UsageError(f"{splits} splits of {len(logits)} samples")
    result = isc_features_to_metric(logits, splits, shuffle=bool(params["shuffle"]), rng_seed=int(params["seed"]))
    value = float(result[KEY_METRIC_ISC_MEAN])
    return {"classifier-score": Measured(value, of_mean(value * divergences(logits)), FIRST_ORDER)}


def divergences(logits: Tensor) -> Tensor:
    """KL(p(y | x) ‖ p(y)) of every sample: the logarithm of the score is their mean, also to first order."""
    log = logits.double().log_softmax(1)
    p = log.exp()
    return (p * (log - p.mean(0).log())).sum(1)


@hookimpl
def ganbench_metrics():
    yield Metric(
        "classifier-score",
        ("logits",),
        compute,
        (Column("classifier-score", "higher"),),
        Recipe(splits=10, shuffle=True, seed=2020),
        paper="arXiv:1606.03498",
    )
