"""clip-vit-b-32, clip-vit-l-14: features of pictures that a network learnt from their captions.

Radford et al. 2021, arXiv:2103.00020; proposed for judging generators by Kynkäänniemi et al. 2022, arXiv:2203.06026.
The network, the preparation and the layer are torch-fidelity's: the image's embedding, not normalised. There are no
logits. `docs/extractors/clip.md` says how to get weights.

The published files are TorchScript archives, which are programs: such a file is opened only where its whole sha256 is
the published one. Any other must hold plain tensors.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ganbench import Extractor, Images, UsageError, Weights, hookimpl
from ganbench_zoo.files.published import at_hand, content, fitting, tensors
from ganbench_zoo.files.weights import known_layers

LAYERS = ("clip",)
SIDE = 224
TOWER = "visual."
"""What the names of the image half's parameters begin with."""


class Grey(nn.Module):
    """uint8 images `(B, 1 or 3, H, W)` to a tuple of one tensor `(B, width)`; a grey image stands in all channels."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor]:
        return self.network(images.expand(-1, 3, -1, -1).contiguous())


@dataclass(frozen=True)
class Variant:
    """A size of the network. file, sha256: of what is published. inner: width of the tokens. rate: images a second on
    one core."""

    name: str
    file: str
    sha256: str
    patch: int
    inner: int
    depth: int
    width: int
    rate: float

    def weights(self, path: Path | None = None) -> Weights:
        """The file given; else the published one from `ROOT/NAME`, torch's hub folder, or a download."""
        cached = f"{self.name}-{self.sha256}.pt"
        found = Path(path) if path is not None else at_hand(self.name, self.file, cached, self.download)
        data = content(self.name, found)
        digest = hashlib.sha256(data).hexdigest()
        if path is None and digest != self.sha256:
            known = self.sha256[:12]
            raise UsageError(
                f"{found}: damaged, sha256 {digest[:12]}… instead of {known}…; delete it to fetch it again"
            )
        if digest != self.sha256:
            self.state(found, data)
        return Weights(found, digest, official=digest == self.sha256)

    def download(self, into: Path) -> None:
        """Fetch the published file from where torch-fidelity has it."""
        from torch_fidelity.feature_extractor_clip import MODEL_URLS

        torch.hub.download_url_to_file(MODEL_URLS[self.name], str(into / self.file), hash_prefix=self.sha256)

    def state(self, file: Path, data: bytes) -> dict[str, Tensor]:
        """The tensors of the image half in a file, whose bytes are given."""
        from torch_fidelity.feature_extractor_clip import CLIPVisual

        if hashlib.sha256(data).hexdigest() == self.sha256:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch calls the format outdated
                found = dict(torch.jit.load(io.BytesIO(data), map_location="cpu").state_dict())
        else:
            found = tensors(self.name, file, data)
        with torch.device("meta"):
            network = CLIPVisual(self.width, SIDE, self.depth, self.inner, self.patch)
        half = {key: x for key, x in found.items() if key.startswith(TOWER)}
        return fitting(self.name, file, half, network.state_dict())

    def network(self, state: dict[str, Tensor]) -> nn.Module:
        """torch-fidelity's extractor with these tensors."""
        from torch_fidelity.feature_extractor_base import FeatureExtractorBase
        from torch_fidelity.feature_extractor_clip import FeatureExtractorCLIP, build_model

        class Filled(FeatureExtractorCLIP):
            """Made of tensors, where torch-fidelity opens an archive."""

            def __init__(self, name: str, state: dict[str, Tensor]) -> None:
                FeatureExtractorBase.__init__(self, name, list(LAYERS))
                self.feature_extractor_internal_dtype = torch.float32
                self.model = build_model(state, torch.float32)
                self.resolution = SIDE

        return Filled(self.name, {**state, "text_projection": torch.empty(0, self.width)})  # asked for its width alone

    def build(self, weights_file: Path | None = None, layers: tuple[str, ...] = LAYERS) -> nn.Module:
        """The network in eval mode."""
        known_layers(self.name, layers, LAYERS)
        file = self.weights(weights_file).file
        return Grey(self.network(self.state(file, content(self.name, file)))).requires_grad_(False).eval()


VARIANTS = (
    Variant(
        "clip-vit-b-32",
        "ViT-B-32.pt",
        "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
        patch=32,
        inner=768,
        depth=12,
        width=512,
        rate=5.0,
    ),
    Variant(
        "clip-vit-l-14",
        "ViT-L-14.pt",
        "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
        patch=14,
        inner=1024,
        depth=24,
        width=768,
        rate=0.6,
    ),
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
            "(x / 255 - (0.48145466, 0.4578275, 0.40821073)) / (0.26862954, 0.26130258, 0.27577711)",
            images_per_second=variant.rate,
            paper="arXiv:2103.00020",
        )
