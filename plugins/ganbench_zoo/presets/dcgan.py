"""DCGAN as published.  Radford, Metz & Chintala 2016, arXiv:1511.06434.

The loss that the authors train is the non-saturating one. All numbers are the architecture's own: Adam, 2·10⁻⁴,
β₁ = 0.5, batches of 128, latents of 100. It differs in two things: latents are drawn as for every GAN here, not
uniformly, and kernels are 4×4 (see the architecture).
"""

from __future__ import annotations

from collections.abc import Iterator

from ganbench import Preset, hookimpl


@hookimpl
def ganbench_presets() -> Iterator[Preset]:
    """DCGAN."""
    yield Preset("dcgan", architecture="dcgan", loss="non-saturating", paper="arXiv:1511.06434")
