"""How many GPUs torch can use here."""

from __future__ import annotations

import torch


def gpus() -> int:
    """The number of CUDA devices that this process sees; 0 without CUDA."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0
