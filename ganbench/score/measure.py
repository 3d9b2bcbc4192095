"""One metric on two sides → scores that say how they were made (measurement fingerprint) and what they compare with."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.api import Metric
from ganbench.errors import Caution, Unavailable, UsageError
from ganbench.plan.columns import column_name
from ganbench.plan.spec import RunSpec, identified
from ganbench.plugins import Registry
from ganbench.record.files import content_hash
from ganbench.score.extraction import FEATURES, LOGITS, Extraction, Features, tensor
from ganbench.score.references import Reference
from ganbench.score.samples import Samples
from ganbench.score.sampling_error import described, with_jackknife
from ganbench.undisturbed import undisturbed

TRAINING, LABELS = "training", "labels"


class _NotFinite(UsageError):
    """Generated samples, or what an extractor makes of them, hold an infinity or NaN: the generator failed."""


@dataclass(frozen=True, eq=False)
class Side:
    """Generated or real: its features, and its samples and labels, which are read only if a metric asks for them."""

    size: int
    features: Features
    samples: Callable[[], Samples]

    def take(self, needs: tuple[str, ...], most: int | None) -> dict[str, Tensor]:
        """The first `most` (None: all) of everything in `needs`, or a `UsageError` that names what is not there."""
        taken: dict[str, Tensor] = {}
        for need in needs:
            if need == TRAINING:
                continue  # a side of its own
            if need == "samples":
                taken[need] = tensor(self.samples().x[:most])
            elif need == LABELS:
                labels = self.samples().y
                if labels is None:
                    raise UsageError("no labels")
                taken[need] = tensor(labels[:most])
            elif need in self.features:
                taken[need] = self.features[need][:most]
            else:
                raise UsageError(f"no {need} at this layer of the extractor")
        return taken


@dataclass(frozen=True, eq=False)
class Measure:
    """A metric with its parameters and, if it works on features, the extractor that gives them."""

    name: str
    metric: Metric
    params: Mapping[str, Any]
    extraction: Extraction | None

    @property
    def columns(self) -> dict[str, str]:
        """The metric's name of each column → the table's."""
        plan = self.extraction.plan if self.extraction else None
        return {c.name: column_name(c.name, plan) for c in self.metric.columns}

    def count(self, size: int) -> int:
        """How many of `size` samples it uses."""
        return min(size, int(self.params.get("samples") or size))

    @property
    def learns(self) -> bool:
        """Whether it looks at training samples too."""
        return TRAINING in self.metric.needs

    def description(
        self, real: tuple[Reference, Side], training: tuple[Reference, Side] | None, n: int, quantisation: str
    ) -> dict[str, Any]:
        """Everything that decides whether two numbers may stand in one column; may raise `Unavailable`."""
        extractor = None
        if self.extraction:
            roles = self.extraction.roles
            extractor = {
                "name": self.extraction.plan["name"],
                "weights": self.extraction.weights.sha256,
                "layers": {role: layer for role, layer in roles.items() if role in self.metric.needs},
                "preprocessing": self.extraction.record.preprocessing,
            }
        return {
            "metric": self.name,
            "version": self.metric.version,
            "params": {k: v for k, v in self.params.items() if k not in self.metric.neutral},
            "extractor": extractor,
            "reference": self._described(*real),
            **({TRAINING: self._described(*training)} if training else {}),
            "samples": n,
            "quantisation": quantisation,
        }

    def _described(self, reference: Reference, side: Side) -> dict[str, Any]:
        """A real side, with the hash of its labels where the metric looks at them."""
        if LABELS not in self.metric.needs:
            return reference.description
        y = side.samples().y
        hashed = None if y is None else content_hash(np.ascontiguousarray(y, np.int64), None)
        return {**reference.description, LABELS: hashed}

    def values(
        self, fake: Side, real: Side, training: Side | None, device: str
    ) -> tuple[Mapping[str, float], list[str]]:
        """Column → value, and what the metric warned of; a `UsageError` where the samples do not allow it."""
        n, m = self.count(fake.size), self.count(real.size)
        if min(n, m) < self.metric.minimum:
            raise UsageError(f"needs {self.metric.minimum} samples on either side, has {n} generated and {m} real")
        sides = {"real": real.take(self.metric.needs, m), "generated": fake.take(self.metric.needs, n)}
        if training:
            sides[TRAINING] = training.take(self.metric.needs, None)
        for word, side in sides.items():
            for need, t in side.items():
                if t.is_floating_point() and not bool(torch.isfinite(t).all()):
                    raise (_NotFinite if word == "generated" else UsageError)(f"{word} {need} are not finite")
        first, second, *further = sides.values()
        with warnings.catch_warnings(record=True) as caught, undisturbed():
            warnings.simplefilter("always", Caution)
            found = self.metric.compute(first, second, self.params, device, *further)
        for other in caught:
            if not isinstance(other.message, Caution):
                warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)
        if missing := {c.name for c in self.metric.columns} - set(found):
            raise TypeError(f"metric '{self.name}' gave no value for {', '.join(sorted(missing))}")
        found = with_jackknife(found, self.metric, first, second, self.params, device, *further)
        return found, [str(w.message) for w in caught if isinstance(w.message, Caution)]


def measures(spec: RunSpec, registry: Registry, extractions: list[Extraction]) -> list[Measure]:
    """Every metric of a run, once for each extractor, or once in all if it asks for no features."""
    result: list[Measure] = []
    for at, extraction in enumerate(extractions or [None]):
        for planned in spec.score["metrics"]:
            metric: Metric = registry.get("metric", planned["name"])
            if unknown := set(planned["params"]) - set(metric.params):
                known = ", ".join(metric.params) or "none"
                raise UsageError(
                    f"metric '{planned['name']}' has no parameter '{sorted(unknown)[0]}'; there are: {known}"
                )
            featured = bool({FEATURES, LOGITS} & set(metric.needs))
            if extraction is not None if featured else at == 0:
                params = {**metric.params, **planned["params"]}
                result.append(Measure(planned["name"], metric, params, extraction if featured else None))
    return result


def score(
    measure: Measure,
    spec: RunSpec,
    fake: Side | str,
    real: Callable[[], tuple[Reference, Side]],
    training: Callable[[], tuple[Reference, Side]],
    quantisation: str,
) -> list[dict[str, Any]]:
    """A score for each column; without a value, and with the reason, where there can be none.

    `not_finite` stands beside what has none because the generated samples, or what the metric made of them, are not
    finite: this is a failure of the generator, and not of the measurement.
    fake: the generated side, or why there is none. real, training: give the reference and, to a metric that needs them,
    the training samples; they may raise `Unavailable`.
    """
    values: Mapping[str, float] = {}
    cautions: list[str] = []
    reason, lost = fake if isinstance(fake, str) else None, False
    known: dict[str, Any] = {"n": None, "fingerprint": None, "comparability": None, "measurement": None}
    if not isinstance(fake, str):
        try:
            reference = real()
            learnt = training() if measure.learns else None
            known = identified(measure.description(reference, learnt, measure.count(fake.size), quantisation), spec)
            device = measure.extraction.device if measure.extraction else "cpu"
            values, cautions = measure.values(fake, reference[1], learnt[1] if learnt else None, device)
        except (Unavailable, UsageError) as error:
            if not (isinstance(error, Unavailable) or known["measurement"]):
                raise  # a damaged reference is to be mended, not to be left out of the table
            reason, lost = str(error), isinstance(error, _NotFinite)
    scores = []
    for column in measure.metric.columns:
        given = values.get(column.name, math.nan)
        value = float(given)
        finite = math.isfinite(value)
        scores.append(
            {
                "column": measure.columns[column.name],
                "value": value if finite else None,
                "skipped": None if finite else reason or f"the value is {value}",
                **({"not_finite": True} if lost or not (finite or reason) else {}),
                "direction": column.direction,
                "unit": column.unit,
                "positive": column.positive,
                **(described(given) if finite else {"sampling_error": None}),
                **known,
                **({"cautions": cautions} if cautions else {}),
            }
        )
    return scores


def sanity(logits: Tensor) -> dict[str, Any]:
    """Class logits `(N, classes)` → the share of each predicted class and the mean of the highest probability."""
    likely = logits.double().softmax(1).max(1)
    counts = torch.bincount(likely.indices, minlength=logits.shape[1])
    return {"histogram": (counts / len(logits)).tolist(), "confidence": float(likely.values.mean())}
