"""cifar10-cnn: features and logits of CIFAR-10's classes, from a convolutional classifier made for this benchmark.

    conv 2×2 (fixed: whitens the patches), GELU → the trunk of `layers/classifier.py` with widths 24, 48, 112, 224

`scripts/train_extractor.py` trained it on the 40,000 pictures of `cifar10`'s train, chose the epoch on val, and wrote
the weights (fp16) and the features of val and test that lie beside this file; `docs/extractors/cifar10-cnn.md` has the
figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from torch import nn

from ganbench import Extractor, Images, Reference, Weights, hookimpl
from ganbench_zoo.files.weights import filled, found, known_layers
from ganbench_zoo.layers.classifier import FEATURES, LAYERS, Classifier

NAME = "cifar10-cnn"
HERE = Path(__file__).parent
SHA256 = {
    "cifar10_cnn.safetensors": "25b6bcf27739672e37d09e9c09c0b791d61097defbd7e9964ffef5b49be6e40e",
    "cifar10_cnn_val.safetensors": "8eb7ee117c65e91e97df33673d1cbb398ade33a83c64c507664c53ebf307d477",
    "cifar10_cnn_test.safetensors": "d6a834cfae09a57c5e71546770780b73efd11c5bd3c982fcd16494afbedb617a",
}
"""Of the files beside this one; the training script writes these lines."""
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def classifier(layers: tuple[str, ...] = LAYERS, dropout: float = 0.0) -> Classifier:
    """The network, untrained: uint8 images `(B, 3, 32, 32)` to `(B, 128)` features and `(B, 10)` logits."""
    first: list[nn.Module] = [nn.Conv2d(3, 24, 2), nn.GELU()]
    return Classifier(NAME, (3, 32, 32), MEAN, STD, first, (24, 48, 112, 224), layers, dropout)


def weights(path: Path | None = None) -> Weights:
    """The weights given, or else those beside this file, whose sha256 must be the known one."""
    shipped = HERE / "cifar10_cnn.safetensors"
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
        accepts=Images(sizes=(32,), channels=(3,)),
        layers=LAYERS,
        width=FEATURES,
        references=tuple(
            Reference("cifar10", split, HERE / file, SHA256[file])
            for split, file in (("val", "cifar10_cnn_val.safetensors"), ("test", "cifar10_cnn_test.safetensors"))
        ),
        preprocessing="(x / 255 - (0.4914, 0.4822, 0.4465)) / (0.2470, 0.2435, 0.2616)",
        images_per_second=900.0,
    )
