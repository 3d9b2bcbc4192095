"""Class labels as network inputs."""

from __future__ import annotations

import torch
from torch import Tensor


def one_hot(y: Tensor, classes: int, dtype: torch.dtype) -> Tensor:
    """Labels `(B,)` in `0 … classes - 1` to `(B, classes)`; none is checked, so that the host need not wait."""
    return (y.unsqueeze(1) == torch.arange(classes, device=y.device)).to(dtype)


def append_labels(h: Tensor, y: Tensor, classes: int) -> Tensor:
    """Labels behind the channels: `(B, C, …)` to `(B, C + classes, …)`, constant over the axes after the second."""
    code = one_hot(y, classes, h.dtype)
    code = code.reshape(*code.shape, *(1,) * (h.ndim - 2)).expand(-1, -1, *h.shape[2:])
    return torch.cat([h, code], dim=1)
