"""Weights that are shipped beside an extractor's module: safetensors, fp16 on disk, known by their sha256."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import nn

from ganbench import UsageError, Weights


def found(name: str, shipped: Path, known: str, given: Path | None = None) -> Weights:
    """The file given, or else the shipped one, whose sha256 must be the known one. name: the extractor's."""
    file = Path(given) if given is not None else shipped
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"{file}: {name}'s weights cannot be read ({error.strerror}); reinstall ganbench") from None
    if digest != known and file.resolve() == shipped.resolve():
        raise UsageError(f"{file}: damaged, sha256 {digest[:12]}… instead of {known[:12]}…; reinstall ganbench")
    return Weights(file, digest, official=digest == known)


def filled(name: str, network: nn.Module, file: Path) -> nn.Module:
    """The network with the weights of a file, in eval mode, computed in fp32."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        network.load_state_dict(load(file.read_bytes()))
    except (SafetensorError, RuntimeError) as error:
        raise UsageError(f"{file}: no weights of {name} ({str(error).splitlines()[0]})") from None
    network.to(memory_format=torch.channels_last)  # faster on a CPU
    return network.requires_grad_(False).eval()


def known_layers(name: str, asked: tuple[str, ...], layers: tuple[str, ...]) -> tuple[str, ...]:
    """The layers asked for, if the extractor has them all."""
    if unknown := set(asked) - set(layers):
        raise UsageError(f"{name} has no layer {', '.join(sorted(unknown))}; there are: {', '.join(layers)}")
    return tuple(asked)
