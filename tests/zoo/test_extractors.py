"""The extractors of the zoo: their weights, what they ship, and that their layers are what they should be."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ganbench import Extractor, SampleSpec, UsageError
from ganbench_zoo.datasets import mnist
from ganbench_zoo.extractors import inception_v3_compat as inception
from ganbench_zoo.extractors import mnist_cnn, random_cnn

DATA = Path(os.environ.get("GANBENCH_DATA", ""))
PARTIAL = DATA / "inception" / "weights-inception-2015-12-05-layers-64-192-768.pth"
needs_mnist = pytest.mark.skipif(
    not (DATA / "MNIST" / "raw").is_dir(), reason="GANBENCH_DATA names no folder with MNIST/raw"
)
needs_inception = pytest.mark.skipif(
    not PARTIAL.is_file(), reason="GANBENCH_DATA names no folder with Inception weights"
)


def only(records) -> Extractor:
    """The one record of a plugin."""
    (record,) = records
    return record


@pytest.fixture
def digits() -> torch.Tensor:
    """Random bytes in the form of digits: uint8 `(4, 1, 28, 28)`."""
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (4, 1, 28, 28), dtype=np.uint8))


# ── mnist-cnn ──


def test_what_mnist_cnn_ships_is_small_and_known():
    extractor = only(mnist_cnn.ganbench_extractors())
    sizes = [reference.file.stat().st_size for reference in extractor.references]
    weights = extractor.weights(None)
    assert weights.official and weights.file.stat().st_size <= 1_000_000
    assert sum(sizes) + weights.file.stat().st_size <= 8_000_000
    for reference in extractor.references:
        assert hashlib.sha256(reference.file.read_bytes()).hexdigest() == reference.sha256
    assert [(r.dataset, r.split) for r in extractor.references] == [("mnist", "val"), ("mnist", "test")]


@needs_mnist
@pytest.mark.parametrize("reference", only(mnist_cnn.ganbench_extractors()).references, ids=lambda r: r.split)
def test_mnist_cnn_is_accurate_and_its_shipped_features_are_its_own(reference):
    images, labels = mnist.load(reference.split)
    network = mnist_cnn.build(None, ("features", "logits"))
    with torch.no_grad():
        parts = [network(batch) for batch in torch.from_numpy(images).split(500)]
    features, logits = (torch.cat(part) for part in zip(*parts, strict=True))
    assert (logits.argmax(1).numpy() == labels).mean() >= 0.993
    shipped = load_file(reference.file)
    assert shipped["features"].dtype == torch.float16 and shipped["features"].shape == (10_000, mnist_cnn.WIDTH)
    torch.testing.assert_close(shipped["features"].float(), features, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(shipped["logits"].float(), logits, rtol=1e-3, atol=1e-3)


def test_mnist_cnn_gives_the_layers_in_the_order_asked(digits):
    both = mnist_cnn.build(None, ("features", "logits"))(digits)
    assert [tuple(x.shape) for x in both] == [(4, 128), (4, 10)]
    for layers in (("logits",), ("features",), ("logits", "features")):
        network = mnist_cnn.build(None, layers)
        assert not network.training and not any(p.requires_grad for p in network.parameters())
        for layer, x in zip(layers, network(digits), strict=True):
            torch.testing.assert_close(x, both[mnist_cnn.LAYERS.index(layer)])


def test_mnist_cnn_takes_colours_and_a_black_frame(digits):
    network = mnist_cnn.build()
    plain = network(digits)
    framed = torch.nn.functional.pad(digits, (2, 2, 2, 2))
    for other in (digits.expand(-1, 3, -1, -1), framed, framed.expand(-1, 3, -1, -1)):
        torch.testing.assert_close(network(other), plain)
    assert only(mnist_cnn.ganbench_extractors()).accepts.refuses(SampleSpec((1, 64, 64)))
    with pytest.raises(UsageError, match="28 or 32"):
        network(torch.zeros(1, 1, 64, 64, dtype=torch.uint8))


def test_mnist_cnn_refuses_foreign_weights_and_layers(tmp_path):
    file = tmp_path / "foreign.safetensors"
    file.write_bytes(b"not weights at all")
    assert not mnist_cnn.weights(file).official
    with pytest.raises(UsageError, match=r"foreign\.safetensors: no weights of mnist-cnn"):
        mnist_cnn.build(file)
    with pytest.raises(UsageError, match="cannot be read"):
        mnist_cnn.weights(tmp_path / "none")
    with pytest.raises(UsageError, match="no layer 2048"):
        mnist_cnn.build(None, ("2048",))


def test_damaged_shipped_weights_are_not_used(tmp_path, monkeypatch):
    shutil.copy(mnist_cnn.weights().file, tmp_path)
    monkeypatch.setattr(mnist_cnn, "HERE", tmp_path)
    assert mnist_cnn.weights().official
    with (tmp_path / "mnist_cnn.safetensors").open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x01")
    for path in (None, tmp_path / "mnist_cnn.safetensors"):
        with pytest.raises(UsageError, match="damaged"):
            mnist_cnn.build(path)


# ── inception-v3-compat ──


@needs_inception
def test_inception_serves_the_layers_whose_weights_are_there(digits):
    assert not inception.weights(PARTIAL).official
    network = inception.build(PARTIAL, ("768",))
    (features,) = network(digits)
    assert features.shape == (4, 768) and features.dtype == torch.float32 and torch.isfinite(features).all()
    colour = digits.expand(-1, 3, -1, -1).contiguous()
    torch.testing.assert_close(network(colour)[0], features)
    assert (features[0] - features[1]).abs().max() > 1e-3
    with pytest.raises(UsageError, match="layer 2048"):
        inception.build(PARTIAL, ("768", "2048"))


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory) -> Path:
    """A file in the official layout with random values."""
    from torch_fidelity import feature_extractor_inceptionv3 as upstream

    torch.manual_seed(0)
    with pytest.MonkeyPatch.context() as patch:  # the constructor would load weights over the random ones
        patch.setattr(upstream, "load_state_dict_from_url", lambda *args, **kwargs: {})
        patch.setattr(upstream.FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        network = upstream.FeatureExtractorInceptionV3("random", ["2048"])
    file = tmp_path_factory.mktemp("inception") / "random.pth"
    torch.save(network.state_dict(), file)
    return file


def test_inception_with_a_file_of_random_weights(random_weights):
    image = torch.arange(3 * 16 * 16).view(1, 3, 16, 16).remainder(256).to(torch.uint8)
    features, logits, biased = inception.build(random_weights, ("2048", "logits_unbiased", "logits"))(image)
    assert features.shape == (1, 2048) and logits.shape == biased.shape == (1, 1008)
    state = torch.load(random_weights, weights_only=True)
    torch.testing.assert_close(logits, features @ state["fc.weight"].T)
    torch.testing.assert_close(biased, logits + state["fc.bias"])
    assert not inception.weights(random_weights).official


def test_inception_weights_are_searched_in_the_roots_and_must_be_the_official_ones(tmp_path, monkeypatch):
    file = tmp_path / "inception" / inception.FILE
    file.parent.mkdir()
    file.write_bytes(b"other")
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    with pytest.raises(UsageError, match="6726825d"):
        inception.weights(None)


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def test_a_hostile_weights_file_is_refused_and_not_run(tmp_path):
    file = tmp_path / "hostile.pth"
    torch.save({"fc.weight": Attack(tmp_path / "marker")}, file)
    with pytest.raises(UsageError, match=r"hostile\.pth: no weights of inception-v3-compat"):
        inception.build(file)
    file.write_bytes(pickle.dumps(Attack(tmp_path / "marker")))
    with pytest.raises(UsageError, match=r"hostile\.pth: no weights of inception-v3-compat"):
        inception.build(file)
    assert not (tmp_path / "marker").exists()
    with pytest.raises(UsageError, match="cannot be read"):
        inception.weights(tmp_path / "none.pth")


# ── random-cnn ──


def test_the_weights_of_random_cnn_are_the_known_ones_and_nobodys_choice():
    weights = random_cnn.weights()
    assert weights.official and weights.sha256 == random_cnn.SHA256
    for layer in random_cnn.drawn():
        fan_in = layer[0].size
        assert np.abs(layer.reshape(len(layer), -1).sum(1)).max() < 1e-5
        assert layer.std() == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)
    with pytest.raises(UsageError, match="takes no weights"):
        random_cnn.weights(Path("other.safetensors"))


def test_random_cnn_takes_images_of_any_size_in_grey_or_colour(digits):
    record = only(random_cnn.ganbench_extractors())
    assert record.logits is None
    network = record.build(record.weights(None).file, record.layers)
    (features,) = network(digits)
    assert features.shape == (4, record.width) and (features.std(0) > 0).sum() > 100
    torch.testing.assert_close(network(digits.expand(-1, 3, -1, -1))[0], features)
    for shape in ((1, 3, 1, 1), (2, 1, 7, 33), (1, 3, 96, 64)):
        assert record.accepts.refuses(SampleSpec(shape[1:])) is None
        assert network(torch.zeros(shape, dtype=torch.uint8))[0].shape == (shape[0], record.width)
    with pytest.raises(UsageError, match="no layer logits"):
        record.build(None, ("features", "logits"))


def test_random_cnn_tells_real_digits_from_collapsed_and_blurred_ones():
    from ganbench_zoo.datasets import mnist_5k

    images, labels = mnist_5k.load("train")
    network = random_cnn.build()
    few = images[[int(np.flatnonzero(labels == k)[0]) for k in range(10)]]
    blurred = images[::2].astype(np.float32)
    blurred = ((blurred + np.roll(blurred, 1, 2) + np.roll(blurred, 1, 3)) / 3).astype(np.uint8)
    with torch.no_grad():
        reference, real, collapsed, blurry = (
            network(torch.from_numpy(x))[0].double()
            for x in (images[1::2], images[::2], few[np.arange(2500) % 10], blurred)
        )

    def distance(features: torch.Tensor) -> float:
        (mine, own), (theirs, other) = ((x.mean(0), x.T.cov()) for x in (features, reference))
        root = torch.linalg.eigvals(own @ other).real.clamp(min=0).sqrt().sum()
        return float(((mine - theirs) ** 2).sum() + own.trace() + other.trace() - 2 * root)

    assert 5 * distance(real) < min(distance(collapsed), distance(blurry))
