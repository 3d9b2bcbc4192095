"""One safetensors file holds a whole run; it is written atomically and never unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ganbench.errors import UsageError
from ganbench.record.files import write_atomic


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], plain: Mapping[str, Any]) -> None:
    """Write tensors and plain values; the old file stays until the new one is whole."""
    whole = {k: v.detach().to("cpu", copy=True).contiguous() for k, v in tensors.items()}
    data = save(whole, metadata={"ganbench": json.dumps(plain)})
    write_atomic(path, lambda file: file.write(data))


def load_checkpoint(path: Path, device: torch.device) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_checkpoint` wrote; a file that is something else is a `UsageError`."""
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            plain = json.loads((file.metadata() or {})["ganbench"])
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise UsageError(f"{path}: is no checkpoint of ganbench ({error}); delete it and the run starts anew") from None
    return tensors, plain
