"""fashion-cnn: features and logits of clothes, from a small convolutional classifier made for this benchmark.

    conv 3×3, pool 2, batch norm, GELU → the trunk of `layers/classifier.py` with widths 32, 64, 128

`scripts/train_extractor.py` trained it on the 50,000 pictures of `fashion-mnist`'s train, chose the epoch on val, and
wrote the weights (fp16) and the features of val and test that lie beside this file; `docs/extractors/fashion-cnn.md`
has the figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torch import nn

from ganbench import Extractor, Images, Reference, Weights, hookimpl
from ganbench_zoo.files.weights import filled, found, known_layers
from ganbench_zoo.layers.classifier import FEATURES, LAYERS, Classifier, normed

NAME = "fashion-cnn"
HERE = Path(__file__).parent
SHA256 = {
    "fashion_cnn.safetensors": "ff880a66624da8182f4072a7c97120c36938197387151e33f0bb3524009150f0",
    "fashion_cnn_val.safetensors": "5314f8f4a5cc7ea1a691a9eaa3e9032afc6b13c64ed6d5252f803d10875ee430",
    "fashion_cnn_test.safetensors": "79d34781434822385b2876d3d22d84b749ad15c99571b23cbd715abab0f53158",
}
"""Of the files beside this one; the training script writes these lines."""


def classifier(layers: tuple[str, ...] = LAYERS, dropout: float = 0.0) -> Classifier:
    """The network, untrained: uint8 images `(B, 1, 28, 28)` to `(B, 128)` features and `(B, 10)` logits."""
    widths = (32, 64, 128)
    return Classifier(NAME, (1, 28, 28), (0.2860,), (0.3530,), normed(1, widths[0], pool=2), widths, layers, dropout)


def weights(path: Path | None = None) -> Weights:
    """The weights given, or else those beside this file, whose sha256 must be the known one."""
    shipped = HERE / "fashion_cnn.safetensors"
    return found(NAME, shipped, SHA256[shipped.name], path)


def build(weights_file: Path | None = None, layers: tuple[str, ...] = LAYERS) -> nn.Module:
    """The classifier in eval mode, giving a tuple of the layers asked for."""
    return filled(NAME, classifier(known_layers(NAME, layers, LAYERS)), weights(weights_file).file)


@hookimpl
def ganbench_extractors() -> Iterator[Extractor]:
    yield Extractor(
        NAME,
        build,
        weights,
        accepts=Images(sizes=(28,), channels=(1,)),
        layers=LAYERS,
        width=FEATURES,
        references=tuple(
            Reference("fashion-mnist", split, HERE / file, SHA256[file])
            for split, file in (("val", "fashion_cnn_val.safetensors"), ("test", "fashion_cnn_test.safetensors"))
        ),
        preprocessing="(x / 255 - 0.2860) / 0.3530",
        images_per_second=4000.0,
    )
