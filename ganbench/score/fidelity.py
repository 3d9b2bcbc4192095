"""Every extractor is one of torch-fidelity's too: the same features here and in `torch_fidelity.calculate_metrics`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY, register_feature_extractor

from ganbench.api import Extractor
from ganbench.errors import UsageError


def register(extractor: Extractor, weights: Path, sha256: str) -> str:
    """Register an extractor with these weights in torch-fidelity; returns its name there.

    `torch_fidelity.calculate_metrics(feature_extractor=name, input1=generated, input2=real, …)` then measures with it,
    in this process. The extractor's own `build` reads the file `weights`, whose sha256 is part of the name.
    """
    build = extractor.build
    builder = f"{build.__module__}.{build.__qualname__}" if hasattr(build, "__qualname__") else repr(build)
    code = hashlib.sha256(f"{builder}\x1f{weights}".encode()).hexdigest()[:6]
    name = f"ganbench-{extractor.name}-{sha256[:12]}-{code}"
    if name not in FEATURE_EXTRACTORS_REGISTRY:
        register_feature_extractor(name, _subclass(extractor, weights))
    return name


def create(name: str, layers: tuple[str, ...], device: str) -> FeatureExtractorBase:
    """The registered extractor, frozen and in eval mode: a batch → float32 `(B, width)` for each of the layers."""
    module: FeatureExtractorBase = FEATURE_EXTRACTORS_REGISTRY[name](name, list(layers))
    return module.requires_grad_(False).eval().to(device)


def _subclass(extractor: Extractor, weights: Path) -> type[FeatureExtractorBase]:
    class Registered(FeatureExtractorBase):
        """An extractor behind torch-fidelity's interface."""

        def __init__(self, name: str, features_list: list[str], **_: Any) -> None:
            super().__init__(name, features_list)
            self.network = extractor.build(weights, tuple(features_list))

        @staticmethod
        def get_provided_features_list() -> tuple[str, ...]:
            return tuple(extractor.layers)

        @staticmethod
        def get_default_feature_layer_for_metric(metric: str) -> str:
            if metric != "isc":
                return extractor.features
            if extractor.logits is None:
                raise UsageError(f"extractor '{extractor.name}' has no logits, which this metric needs")
            return extractor.logits

        @staticmethod
        def can_be_compiled() -> bool:
            return False

        @staticmethod
        def get_dummy_input_for_compile() -> Tensor:
            raise UsageError(f"extractor '{extractor.name}' is not compiled: that would change its features")

        def forward(self, input: Tensor) -> tuple[Tensor, ...]:
            given = self.network(input)
            given = (given,) if isinstance(given, Tensor) else tuple(given)
            wanted = len(self.features_list)
            if len(given) != wanted or any(g.ndim != 2 or len(g) != len(input) for g in given):
                shapes = ", ".join(str(tuple(g.shape)) for g in given)
                raise UsageError(
                    f"extractor '{extractor.name}' must give {wanted} tensors of shape ({len(input)}, width) for the "
                    f"layers {', '.join(self.features_list)}; it gave {shapes}"
                )
            return tuple(g.to(torch.float32) for g in given)

    return Registered
