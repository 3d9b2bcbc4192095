"""Progressive growing as published.  Karras, Aila, Laine & Lehtinen 2018, arXiv:1710.10196, appendix A.

Wasserstein loss with gradient penalty, λ = 10, and drift, ε = 0.001, one D step for each G step, Adam 10⁻³ with
β = (0, 0.99), batches of 16, weights averaged with a decay of 0.999 a step: a half-life of 693 steps, 11,088 images.

It differs in that there is no minibatch deviation (see the architecture), and that batches do not shrink as resolutions
grow.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganbench import Preset, Recipe, hookimpl


@hookimpl
def ganbench_presets() -> Iterator[Preset]:
    """Progressive growing."""
    yield Preset(
        "progan",
        architecture="progan",
        loss="wgan-gp",
        regularizers=("drift",),
        augmentations=("growing-data",),
        recipe=Recipe(lr=1e-3, betas=(0.0, 0.99), d_steps=1, batch_size=16, ema_half_life=693 * 16.0),
        paper="arXiv:1710.10196",
    )
