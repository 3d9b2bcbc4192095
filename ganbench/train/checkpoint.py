"""One safetensors file holds a whole run; it is written atomically, carries a digest and is never unpickled.

The one before it is kept beside it, for the day on which a disk gives back something else than it was given.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganbench.errors import UsageError
from ganbench.record.checkpoints import previous
from ganbench.record.files import write_atomic


class Damaged(UsageError):
    """A file that is not what a checkpoint was when it was written."""


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
    """Write tensors and plain values; the old file is the previous one from then on."""
    whole = {k: v.detach().to("cpu", copy=True).contiguous() for k, v in tensors.items()}
    text = json.dumps(plain)
    data = save(whole, metadata={"ganbench": text, "sha256": _digest(whole, text)})
    write_atomic(path, lambda file: file.write(data), previous(path))


def load_checkpoint(path: Path, device: torch.device) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_checkpoint` wrote; a file that is something else is `Damaged`."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            said = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 - not a mapping
        text, digest = said["ganbench"], said["sha256"]
        if _digest(tensors, text) != digest:
            raise ValueError("its content does not give its sha256")
        plain = json.loads(text)
        if not isinstance(plain, dict):
            raise ValueError("its counters are missing")
    except (SafetensorError, KeyError, ValueError, TypeError, RecursionError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise Damaged(f"{path}: is no checkpoint of ganbench ({reason}); delete it and the run starts anew") from None
    return {k: v.to(device) for k, v in tensors.items()}, plain


def _digest(tensors: Mapping[str, Tensor], text: str) -> str:
    """sha256 over the plain values' text and every tensor with its name, type and shape."""
    digest = hashlib.sha256(text.encode())
    for name, value in sorted(tensors.items()):
        digest.update(f"\0{name}\0{value.dtype}\0{tuple(value.shape)}\0".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
