"""dinov2-vit-b-14, dinov2-vit-l-14: features of photographs that a network learnt without labels.

Oquab et al. 2023, arXiv:2304.07193; proposed for judging generators by Stein et al. 2023, arXiv:2306.04675. The
feature is the class token after the last norm, as torch-fidelity takes it, and so is the preparation. torch-fidelity
itself runs a checkout of the authors' repository and reads no file; here the network is `layers/vision_transformer.py`,
and the published weights are read as plain tensors. There are no logits. `docs/extractors/dinov2.md` says how to get
the weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ganbench import Extractor, Images, Weights, hookimpl
from ganbench_zoo.files.published import at_hand, content, fitting, tensors
from ganbench_zoo.files.weights import known_layers
from ganbench_zoo.layers.vision_transformer import VisionTransformer

LAYERS = ("dinov2",)
SIDE = 224
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours, for values in [0, 1]."""
URL = "https://dl.fbaipublicfiles.com/dinov2/{0}/{0}_pretrain.pth"
UNUSED = "mask_token"
"""In the published files, and needed in training alone."""


class Prepared(nn.Module):
    """uint8 images `(B, 1 or 3, H, W)` to a tuple of one tensor `(B, width)`; a grey image stands in all channels."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", 255 * torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", 255 * torch.tensor(DEVIATION)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> tuple[Tensor]:
        from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x as resize

        x = resize(images.expand(-1, 3, -1, -1).float(), size=(SIDE, SIDE), align_corners=False)
        return (self.network((x - self.mean) / self.deviation),)


@dataclass(frozen=True)
class Variant:
    """A size of the network. stem: of its published file's name. rate: images a second on one core."""

    name: str
    stem: str
    width: int
    depth: int
    heads: int
    rate: float

    def weights(self, path: Path | None = None) -> Weights:
        """The file given; else the published one from `ROOT/NAME`, torch's hub folder, or a download."""
        file = f"{self.stem}_pretrain.pth"
        found = Path(path) if path is not None else at_hand(self.name, file, file, self.download)
        data = content(self.name, found)
        self.filled(found, data)
        return Weights(found, hashlib.sha256(data).hexdigest())

    def download(self, into: Path) -> None:
        """Fetch the published file, of which no hash is known: it is kept if it holds the network's tensors."""
        file = into / f"{self.stem}_pretrain.pth"
        torch.hub.download_url_to_file(URL.format(self.stem), str(file))
        self.filled(file, content(self.name, file))

    def filled(self, file: Path, data: bytes) -> VisionTransformer:
        """The network with the tensors of a file, whose bytes are given."""
        with torch.device("meta"):
            network = VisionTransformer(self.width, self.depth, self.heads)
        found = tensors(self.name, file, data)
        found.pop(UNUSED, None)
        state = {key: x.float() for key, x in fitting(self.name, file, found, network.state_dict()).items()}
        network.load_state_dict(state, assign=True)
        return network

    def build(self, weights_file: Path | None = None, layers: tuple[str, ...] = LAYERS) -> nn.Module:
        """The network in eval mode."""
        known_layers(self.name, layers, LAYERS)
        file = self.weights(weights_file).file
        return Prepared(self.filled(file, content(self.name, file))).requires_grad_(False).eval()


VARIANTS = (
    Variant("dinov2-vit-b-14", "dinov2_vitb14", 768, 12, 12, 2.0),
    Variant("dinov2-vit-l-14", "dinov2_vitl14", 1024, 24, 16, 0.6),
)


@hookimpl
def ganbench_extractors() -> Iterator[Extractor]:
    for variant in VARIANTS:
        yield Extractor(
            variant.name,
            variant.build,
            variant.weights,
            accepts=Images(),
            layers=LAYERS,
            features=LAYERS[0],
            logits=None,
            width=variant.width,
            preprocessing=f"one channel repeated to three; bilinear to {SIDE}×{SIDE} as TensorFlow 1 does it; "
            f"(x / 255 - {MEAN}) / {DEVIATION}",
            images_per_second=variant.rate,
            paper="arXiv:2304.07193",
        )
