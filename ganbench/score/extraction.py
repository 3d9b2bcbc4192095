"""An extractor as a run uses it: its weights found and checked, its network built once, samples in and features out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_fidelity.feature_extractor_base import FeatureExtractorBase

from ganbench.api import Extractor, SampleSpec, Weights
from ganbench.errors import UsageError
from ganbench.plugins import Registry
from ganbench.score.fidelity import create, register

BATCH = 250
FEATURES, LOGITS = "features", "logits"

Features = Mapping[str, Tensor]
"""`"features"` and, where the extractor has them, `"logits"`: float32 `(N, width)` on the CPU."""


@dataclass(frozen=True, eq=False)
class Extraction:
    """plan: name, layers and weights as the run was planned. code: content hash of the extractor's plugin. on_batch:
    called before the first batch with 0, and after every batch with its number of samples."""

    plan: Mapping[str, Any]
    record: Extractor
    code: str
    weights: Weights
    device: str
    on_batch: Callable[[int], None] = lambda samples: None

    @property
    def roles(self) -> dict[str, str]:
        """What is extracted → the layer that gives it."""
        return {FEATURES: self.plan["features"]} | ({LOGITS: self.plan["logits"]} if self.plan["logits"] else {})

    @property
    def default_layers(self) -> bool:
        """Whether the layers are the extractor's own choice, as in the references that it ships."""
        return self.plan["features"] == self.record.features and self.plan["logits"] in (None, self.record.logits)

    @cached_property
    def network(self) -> FeatureExtractorBase:
        """The network, in torch-fidelity's registry as well."""
        name = register(self.record, self.weights.file, self.weights.sha256)
        return create(name, tuple(dict.fromkeys(self.roles.values())), self.device)

    def refuses(self, x: np.ndarray, form: SampleSpec) -> str | None:
        """None if it takes samples of this shape, else the reason."""
        return self.record.accepts.refuses(form.but(shape=tuple(x.shape[1:])))

    def __call__(self, x: np.ndarray) -> Features:
        """Samples `(N, …)` in the declared form to their features, in batches."""
        parts: list[dict[str, Tensor]] = []
        self.on_batch(0)
        with torch.no_grad():
            for start in range(0, len(x), BATCH):
                given = self.network(tensor(x[start : start + BATCH]).to(self.device))
                parts.append({k: v.cpu() for k, v in self.network.convert_features_tuple_to_dict(given).items()})
                self.on_batch(len(given[0]))
        return {role: torch.cat([part[layer] for part in parts]) for role, layer in self.roles.items()}


def prepare(
    plan: Mapping[str, Any],
    registry: Registry,
    given: Mapping[str, Path],
    device: str,
    on_batch: Callable[[int], None] = lambda samples: None,
) -> Extraction:
    """The extractor of a run's plan, with the very weights that it was planned with."""
    found = registry.find("extractor", plan["name"])
    weights = found.record.weights(given.get(found.name))
    if weights.sha256 != plan["weights"]:
        raise UsageError(
            f"{weights.file}: weights of extractor '{found.name}' with sha256 {weights.sha256[:12]}…, planned were "
            f"{plan['weights'][:12]}…; give the planned file with --weights {found.name}=FILE, or plan again"
        )
    return Extraction(plan, found.record, found.provenance.sha256, weights, device, on_batch)


def tensor(x: np.ndarray) -> Tensor:
    """A copy of an array (which may be a view of a file)."""
    return torch.from_numpy(np.array(x))
