"""StyleGAN2-ADA as published for CIFAR-10.  Karras et al. 2020, arXiv:2006.06676, appendix D.

StyleGAN2 with augmentations that adapt, and what its authors change for CIFAR-10: a mapping network of two layers, no
style mixing, no path length regularization, a D without shortcuts, minibatch standard deviation over 32 samples, R1
with γ = 0.01, Adam 2.5·10⁻³ with β = (0, 0.99), batches of 64, weights averaged with a half-life of 500,000 images, at
most 5 % of those so far. `ada` says how its transformations differ.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganbench import Preset, Recipe, hookimpl


@hookimpl
def ganbench_presets() -> Iterator[Preset]:
    """StyleGAN2-ADA."""
    yield Preset(
        "stylegan2-ada",
        architecture="stylegan2",
        loss="non-saturating",
        regularizers=("r1-coupled",),
        augmentations=("ada",),
        recipe=Recipe(
            {
                "mapping_depth": 2,
                "mixing": 0.0,
                "residual": False,
                "stddev_group": 32,
                "r1-coupled.weight": 0.01,
                "lr": 2.5e-3,
                "batch_size": 64,
                "ema_half_life": 500_000.0,
                "ema_ramp_up": 0.05,
            }
        ),
        paper="arXiv:2006.06676",
    )
