"""inception-v3-compat: the Inception network of 2015 that FID and IS are defined with, as torch-fidelity converted it.

Szegedy et al. 2016, arXiv:1512.00567; used for FID by Heusel et al. 2017, arXiv:1706.08500, and for IS by Salimans et
al. 2016, arXiv:1606.03498. Layers and their defaults are torch-fidelity's: 2048 for distances, the logits without bias
for IS. Only the official weights, whose sha256 begins with 6726825d, earn the public names.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from ganbench import Extractor, Images, UsageError, Weights, cache_dir, data_roots, fetch, hookimpl
from ganbench_zoo.files.published import content, tensors

NAME = "inception-v3-compat"
LAYERS = ("64", "192", "768", "2048", "logits_unbiased", "logits")
FILE = "weights-inception-2015-12-05-6726825d.pth"
OFFICIAL = "6726825d"
WHAT = f"weights of {NAME} (--extractor {NAME}=FILE gives them, or inception/{FILE} in a data folder)"


class Inception(nn.Module):
    """uint8 images `(B, 1 or 3, H, W)` to a tuple of `(B, width)`, one for each layer of torch-fidelity's network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The layers that the network was made for, in the order asked; a grey image stands in all three channels."""
        return self.network(images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images)


def weights(path: Path | None = None) -> Weights:
    """The file given; else the official one from `ROOT/inception`, torch's hub folder, or a download."""
    if path is not None:
        file = Path(path)
        data = content(NAME, file)
        tensors(NAME, file, data)
        digest = hashlib.sha256(data).hexdigest()
        return Weights(file, digest, official=digest.startswith(OFFICIAL))
    places = [root / "inception" for root in data_roots()] + [Path(torch.hub.get_dir()) / "checkpoints"]
    found = [place / FILE for place in places if (place / FILE).is_file()]
    file = found[0] if found else fetch(download, cache_dir() / "data" / "inception", WHAT) / FILE
    digest = hashlib.sha256(content(NAME, file)).hexdigest()
    if not digest.startswith(OFFICIAL):
        raise UsageError(f"{file}: damaged, sha256 {digest[:8]}… instead of {OFFICIAL}…; delete it to fetch it again")
    return Weights(file, digest, official=True)


def download(into: Path) -> None:
    """Fetch the official file from where torch-fidelity has it."""
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    torch.hub.download_url_to_file(URL_INCEPTION_V3, str(into / FILE), hash_prefix=OFFICIAL)


def build(weights_file: Path | None = None, layers: tuple[str, ...] = ("2048",)) -> nn.Module:
    """The network in eval mode, giving a tuple of the layers asked for; it is tried on one picture first."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    if unknown := set(layers) - set(LAYERS):
        raise UsageError(f"{NAME} has no layer {', '.join(sorted(unknown))}; there are: {', '.join(LAYERS)}")
    file = weights(weights_file).file
    # torch-fidelity unpickles whatever it is given, so it is given a copy of what was read as plain tensors
    private = io.BytesIO()
    torch.save(tensors(NAME, file, content(NAME, file)), private)
    private.seek(0)
    try:
        network = FeatureExtractorInceptionV3(NAME, list(layers), feature_extractor_weights_path=private)
    except RuntimeError as error:
        raise UsageError(f"{file}: no weights of {NAME} ({' '.join(str(error).split())[:200]})") from None
    # channels-last would be half again as fast on a CPU, but moves distances by most of what may lie between us and
    # torch-fidelity
    module = Inception(network).eval()
    with torch.no_grad():
        tried = module(torch.arange(3 * 32 * 32).view(1, 3, 32, 32).remainder(256).to(torch.uint8))
    if bad := [layer for layer, x in zip(layers, tried, strict=True) if not torch.isfinite(x).all()]:
        raise UsageError(f"{file}: does not serve layer {', '.join(bad)} (not finite); ask for another layer or file")
    return module


@hookimpl
def ganbench_extractors() -> Iterator[Extractor]:
    yield Extractor(
        NAME,
        build,
        weights,
        accepts=Images(),
        layers=LAYERS,
        features="2048",
        logits="logits_unbiased",
        width=2048,
        names={"fd": "FID", "kid": "KID", "classifier-score": "IS"},
        preprocessing="one channel repeated to three; bilinear to 299×299 as TensorFlow 1 does it; (x - 128) / 128",
        images_per_second=3.0,
        paper="arXiv:1512.00567",
    )
