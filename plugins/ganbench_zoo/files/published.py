"""Weights that others publish: found or fetched, known by their sha256, and read as tensors, never as code."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from ganbench import UsageError, cache_dir, data_roots, fetch

TORCH = (b"PK", b"\x80")
"""How files of `torch.save` begin: the zip archive, and the pickle of old."""


def at_hand(name: str, file: str, cached: str, download: Callable[[Path], None]) -> Path:
    """`ROOT/name/file` of the first data folder ROOT that has it, or `cached` among torch's downloads; else it is
    fetched. name: the extractor's. download: fills a folder with `file`."""
    places = [*(root / name / file for root in data_roots()), Path(torch.hub.get_dir()) / "checkpoints" / cached]
    if found := next((place for place in places if place.is_file()), None):
        return found
    what = f"weights of {name} (--extractor {name}=FILE gives them, or {name}/{file} in a data folder)"
    return fetch(download, cache_dir() / "data" / name, what) / file


def content(name: str, file: Path) -> bytes:
    """The bytes of a file of weights."""
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: weights of {name}: cannot be read ({error.strerror}); name another") from None


def tensors(name: str, file: Path, data: bytes) -> dict[str, Tensor]:
    """The tensors by name in safetensors or in a file of `torch.save`, on the CPU; anything else is refused."""
    from safetensors.torch import load

    try:
        if data.startswith(TORCH):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what is wrong with a file is said once
                found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        else:
            found = load(data)
    except Exception as error:  # the unpickler raises whatever a foreign file leads it to
        raise UsageError(f"{file}: no weights of {name} ({reason(error)})") from None
    if not (isinstance(found, dict) and all(isinstance(value, Tensor) for value in found.values())):
        raise UsageError(f"{file}: no weights of {name} (it holds something other than tensors by name)")
    return found


def reason(error: Exception) -> str:
    """Why a file is refused, in a few words; torch's own advice, to unpickle it in full, is not passed on."""
    if "TorchScript" in str(error):
        return "a TorchScript archive is a program: give its tensors, as safetensors or by torch.save"
    if type(error).__name__ == "UnpicklingError":
        return "it holds something other than tensors by name"
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:200]


def fitting(name: str, file: Path, found: Mapping[str, Tensor], network: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors found, once they have the names and shapes of a network's, all of them, and finite values."""
    for key, of in network.items():
        if key not in found:
            wrong = "is missing"
        elif found[key].shape != of.shape:
            wrong = f"is {tuple(found[key].shape)}, not {tuple(of.shape)}"
        elif not found[key].isfinite().all():
            wrong = "is not finite"
        else:
            continue
        raise UsageError(f"{file}: no weights of {name} ({key} {wrong})")
    if unknown := sorted(set(found) - set(network)):
        raise UsageError(f"{file}: no weights of {name} (it also has {unknown[0]}, which belongs to another network)")
    return dict(found)
