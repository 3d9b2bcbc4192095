"""Progressive growing: which resolution networks and data are at.  Karras et al. 2018, arXiv:1710.10196, section 2.

Training begins at the coarsest maps. Each further stage doubles the resolution: it fades in, from blend 0 to 1, then
stays for as long; the last one stays to the end. Stage and blend follow from the share of the budget alone:

    position = 2 (stages - 1) progress / until      even: stage position / 2 stays;   odd: the next one fades in
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from ganbench import SampleSpec, UsageError


def bottom(size: int) -> int:
    """Pixels of the coarsest maps of an image of this size."""
    return 7 if size % 7 == 0 else 4


def stages(size: int) -> int:
    """How many resolutions there are, from the coarsest to the image's own."""
    return (size // bottom(size)).bit_length()


def growth(progress: float, count: int, until: float) -> tuple[int, float]:
    """The stage, 0 … count - 1, and its blend in [0, 1]; until: the share of the budget by which all have faded in."""
    position = 2 * (count - 1) * (progress / until)
    if position >= 2 * (count - 1):
        return count - 1, 1.0
    step = int(position)
    return (step // 2, 1.0) if step % 2 == 0 else ((step + 1) // 2, position - step)


def coarsened(x: Tensor, times: int) -> Tensor:
    """Images `(B, C, H, W)`, each square of 2^times pixels in its mean colour."""
    if not times:
        return x
    return F.interpolate(F.avg_pool2d(x, 2**times), scale_factor=2**times, mode="nearest")


class Growing(nn.Module):
    """What follows the growth: a network, or what stands before one."""

    def __init__(self, spec: SampleSpec, until: float) -> None:
        super().__init__()
        if not 0 < until <= 1:
            raise UsageError(f"all resolutions fade in by a share of the budget above 0, at most 1, not {until:g}")
        self.count, self.until = stages(spec.shape[-1]), until
        self.stage, self.blend = growth(0.0, self.count, until)

    def at_step(self, progress: float) -> None:
        """Be at the stage and the blend of a share of the budget."""
        self.stage, self.blend = growth(progress, self.count, self.until)
