"""The in-domain extractors of Fashion-MNIST and CIFAR-10: what they ship, how accurate it is, what they refuse."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ganbench import SampleSpec, UsageError
from ganbench_zoo.datasets import cifar10, fashion_mnist
from ganbench_zoo.extractors import cifar10_cnn, fashion_cnn
from ganbench_zoo.layers.classifier import FEATURES, LAYERS


@dataclass(frozen=True)
class Case:
    """An extractor, its data set, and what it promises."""

    module: ModuleType
    dataset: ModuleType
    accuracy: float
    weights: int

    @property
    def record(self):
        """What the plugin registers."""
        (record,) = self.module.ganbench_extractors()
        return record

    def noise(self, count: int = 4) -> torch.Tensor:
        """Random bytes in the form of its images."""
        (dataset,) = self.dataset.ganbench_datasets()
        return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (count, *dataset.spec.shape), np.uint8))


CASES = pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(fashion_cnn, fashion_mnist, 0.91, 1_000_000), id="fashion-cnn"),
        pytest.param(Case(cifar10_cnn, cifar10, 0.90, 4_000_000), id="cifar10-cnn"),
    ],
)


@CASES
def test_what_is_shipped_is_small_and_known(case):
    weights = case.record.weights(None)
    assert weights.official and weights.file.stat().st_size <= case.weights
    assert sum(reference.file.stat().st_size for reference in case.record.references) <= 8_000_000
    (dataset,) = case.dataset.ganbench_datasets()
    assert [(r.dataset, r.split) for r in case.record.references] == [(dataset.name, "val"), (dataset.name, "test")]
    for reference in case.record.references:
        assert hashlib.sha256(reference.file.read_bytes()).hexdigest() == reference.sha256
        shipped = load_file(reference.file)
        assert {name: tuple(x.shape) for name, x in shipped.items()} == {
            "features": (10_000, FEATURES),
            "logits": (10_000, 10),
        }
        assert all(x.dtype == torch.float16 and x.isfinite().all() for x in shipped.values())


@CASES
def test_the_shipped_logits_are_accurate_and_the_features_its_own(case):
    if not case.dataset.here():
        pytest.skip("no folder of GANBENCH_DATA has the data set")
    network = case.module.build()
    for reference in case.record.references:
        images, labels = case.dataset.load(reference.split)
        shipped = load_file(reference.file)
        assert (shipped["logits"].argmax(1).numpy() == labels).mean() >= case.accuracy
        with torch.no_grad():
            features, logits = network(torch.from_numpy(images[:300]))
        torch.testing.assert_close(shipped["features"][:300].float(), features, rtol=1e-3, atol=2e-3)
        torch.testing.assert_close(shipped["logits"][:300].float(), logits, rtol=1e-3, atol=5e-3)


@CASES
def test_layers_come_in_the_order_asked(case):
    batch = case.noise()
    both = case.module.build(None, LAYERS)(batch)
    assert [tuple(x.shape) for x in both] == [(4, FEATURES), (4, 10)]
    for layers in (("logits",), ("logits", "features")):
        network = case.module.build(None, layers)
        assert not network.training and not any(p.requires_grad for p in network.parameters())
        for layer, x in zip(layers, network(batch), strict=True):
            torch.testing.assert_close(x, both[LAYERS.index(layer)])


@CASES
def test_other_images_weights_and_layers_are_refused(case, tmp_path):
    assert case.record.accepts.refuses(SampleSpec((3, 64, 64)))
    with pytest.raises(UsageError, match=rf"{case.record.name} takes \(B, "):
        case.module.build()(torch.zeros(1, 2, 9, 9, dtype=torch.uint8))
    with pytest.raises(UsageError, match="no layer 2048; there are: features, logits"):
        case.module.build(None, ("2048",))
    with pytest.raises(UsageError, match="cannot be read"):
        case.module.weights(tmp_path / "none")
    file = tmp_path / "foreign.safetensors"
    file.write_bytes(b"not weights at all")
    assert not case.module.weights(file).official
    with pytest.raises(UsageError, match=rf"foreign\.safetensors: no weights of {case.record.name}"):
        case.module.build(file)


@CASES
def test_damaged_shipped_weights_are_not_used(case, tmp_path, monkeypatch):
    file = shutil.copy(case.module.weights().file, tmp_path)
    monkeypatch.setattr(case.module, "HERE", tmp_path)
    assert case.module.weights().official
    with open(file, "r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x01")
    with pytest.raises(UsageError, match="damaged"):
        case.module.build()
