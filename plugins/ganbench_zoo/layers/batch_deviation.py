"""Minibatch standard deviation.  Karras et al. 2018, arXiv:1710.10196, section 3; in groups, as StyleGAN2 has it.

    s = mean over channels and pixels of √(variance over the samples of a group + ε),    ε = 10⁻⁸

is one more channel, the same for each sample of the group and at each pixel: so D sees how much its samples vary. A
group has at most `group` samples, as many as divide the batch, taken at equal distances.
"""

from __future__ import annotations

import torch
from torch import Tensor


def batch_deviation(x: Tensor, group: int) -> Tensor:
    """Maps `(B, C, H, W)` to `(B, C + 1, H, W)`."""
    count = len(x)
    size = next(n for n in range(min(group, count), 0, -1) if count % n == 0)
    variance = x.to(torch.promote_types(x.dtype, torch.float32)).unflatten(0, (size, -1)).var(0, unbiased=False)
    deviation = (variance + 1e-8).sqrt().mean((1, 2, 3)).to(x.dtype)
    return torch.cat([x, deviation.repeat(size).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], dim=1)
