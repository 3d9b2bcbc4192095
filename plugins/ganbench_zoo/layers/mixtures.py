"""Mixtures of equal Gaussians in the plane, whose modes are known exactly.  Lin, Khetan, Fanti & Oh 2018 (PacGAN),
arXiv:1712.04086, section 4.1; after Srivastava et al. 2017 (VEEGAN), arXiv:1705.07761.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Mixture:
    """Equally likely spherical Gaussians. centers: of the modes. sigma: of each, along each axis."""

    centers: tuple[tuple[float, float], ...]
    sigma: float

    def inside(self, sigmas: float) -> float:
        """Probability that a sample lies within `sigmas`·σ of its own mode: 1 - exp(-sigmas² / 2), in two dimensions.

        That another mode is as near is neglected: these mixtures' modes lie dozens of σ apart.
        """
        return 1.0 - math.exp(-(sigmas**2) / 2)


MIXTURES = {
    "ring": Mixture(tuple((math.cos(math.tau * i / 8), math.sin(math.tau * i / 8)) for i in range(8)), 0.01),
    "grid": Mixture(tuple((float(x), float(y)) for x in range(-4, 5, 2) for y in range(-4, 5, 2)), 0.05),
}
"""`ring`: eight modes on the unit circle. `grid`: 5 × 5 modes, two apart."""
