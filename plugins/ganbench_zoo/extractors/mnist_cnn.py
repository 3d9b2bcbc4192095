"""mnist-cnn: features and logits of handwritten digits, from a small convolutional classifier made for this benchmark.

    [conv 5×5] pool [conv 3×3]×2 pool [conv 3×3]×2 pool → dense 128, batch norm, ReLU = features → dense 10 = logits

Every convolution is followed by batch norm and a ReLU. `scripts/train_mnist_cnn.py` trained it on the 50,000 digits of
`mnist`'s train, chose the epoch on val, and wrote the weights (fp16) and the features of val and test that lie beside
this file; `docs/extractors/mnist-cnn.md` has the figures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from ganbench import Extractor, Images, Reference, UsageError, Weights, hookimpl

WIDTH = 128
LAYERS = ("features", "logits")
HERE = Path(__file__).parent
SHA256 = {
    "mnist_cnn.safetensors": "13d56394f1a767129c3e4471e2fe96a3103c9da5de81c184ad9802a9988b8b07",
    "mnist_cnn_val.safetensors": "5260aef22610107b8756d0f778fa0faa4f9c44451575348aa97951f87e7fcd13",
    "mnist_cnn_test.safetensors": "840dab63bf8d1c3524b46d509c75cf2290bd51fbe09197b658b1a67ec9ef3879",
}
"""Of the files beside this one; the training script writes these lines."""


def convolution(inputs: int, outputs: int, size: int, padding: int) -> list[nn.Module]:
    """A convolution, batch norm and a ReLU."""
    conv = nn.Conv2d(inputs, outputs, size, padding=padding, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class Classifier(nn.Module):
    """uint8 images `(B, 1 or 3, 28 or 32, 28 or 32)` to the layers asked for: `(B, 128)` features, `(B, 10)` logits."""

    def __init__(self, layers: tuple[str, ...] = LAYERS, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = layers
        self.trunk = nn.Sequential(
            *convolution(1, 24, 5, 0), nn.MaxPool2d(2),
            *convolution(24, 48, 3, 1), *convolution(48, 48, 3, 1), nn.MaxPool2d(2),
            *convolution(48, 96, 3, 1), *convolution(96, 96, 3, 1), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(96 * 3 * 3, WIDTH, bias=False), nn.BatchNorm1d(WIDTH), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(WIDTH, 10))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The asked layers, in the order asked."""
        features = self.trunk(self.prepare(images))
        given = {"features": features, "logits": self.head(features) if "logits" in self.layers else None}
        return tuple(given[layer] for layer in self.layers)

    def prepare(self, images: Tensor) -> Tensor:
        """uint8 (or the same values as floats) to `(B, 1, 28, 28)` with MNIST's mean 0 and standard deviation 1.

        Colours are averaged; of 32 pixels the middle 28 are taken (MNIST at 32 is MNIST with a black frame of 2).
        """
        if images.shape[1] not in (1, 3) or images.shape[2:] not in ((28, 28), (32, 32)):
            raise UsageError(f"mnist-cnn takes (B, 1 or 3, 28 or 32, 28 or 32), not {tuple(images.shape)}")
        grey = images.float().mean(1, keepdim=True)
        if grey.shape[-1] == 32:
            grey = grey[..., 2:-2, 2:-2]
        return (grey / 255 - 0.1307) / 0.3081


def weights(path: Path | None = None) -> Weights:
    """The weights given, or else those beside this file, whose sha256 must be the known one."""
    shipped = HERE / "mnist_cnn.safetensors"
    file = Path(path) if path is not None else shipped
    try:
        found = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"{file}: mnist-cnn's weights cannot be read ({error.strerror}); reinstall ganbench") from None
    known = SHA256[shipped.name]
    if found != known and file.resolve() == shipped.resolve():
        raise UsageError(f"{file}: damaged, sha256 {found[:12]}… instead of {known[:12]}…; reinstall ganbench")
    return Weights(file, found, official=found == known)


def build(weights_file: Path | None = None, layers: tuple[str, ...] = LAYERS) -> nn.Module:
    """The classifier in eval mode, giving a tuple of the layers asked for."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    if unknown := set(layers) - set(LAYERS):
        raise UsageError(f"mnist-cnn has no layer {', '.join(sorted(unknown))}; there are: {', '.join(LAYERS)}")
    file = weights(weights_file).file
    network = Classifier(tuple(layers))
    try:
        network.load_state_dict(load(file.read_bytes()))  # fp16 on disk, computed in fp32
    except (SafetensorError, RuntimeError) as error:
        raise UsageError(f"{file}: no weights of mnist-cnn ({str(error).splitlines()[0]})") from None
    network.to(memory_format=torch.channels_last)  # twice as fast on a CPU
    return network.requires_grad_(False).eval()


@hookimpl
def ganbench_extractors() -> Iterator[Extractor]:
    yield Extractor(
        "mnist-cnn",
        build,
        weights,
        accepts=Images(sizes=(28, 32)),
        layers=LAYERS,
        width=WIDTH,
        references=tuple(
            Reference("mnist", split, HERE / file, SHA256[file])
            for split, file in (("val", "mnist_cnn_val.safetensors"), ("test", "mnist_cnn_test.safetensors"))
        ),
        preprocessing="mean over channels; centre crop of 28 from 32 pixels; (x / 255 - 0.1307) / 0.3081",
        images_per_second=2500.0,
    )
