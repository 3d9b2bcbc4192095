"""R3GAN as published for CIFAR-10.  Huang, Gokaslan, Kuleshov & Tompkin 2024, arXiv:2501.05441.

The relativistic loss in pairs with R1 and R2 in every step, γ = 0.05, Adam 2·10⁻⁴ with β = (0, 0.99), batches of 512,
weights averaged with a half-life of 5,000,000 images, at most 5 % of those so far.

It differs in its schedules. The authors let γ fall to a tenth and the learning rate to 5·10⁻⁵, and β₂ rise from 0.9 to
0.99, over the first 20 million images; here γ and the rate stay where those begin, and β₂ is where it ends. Nor are
there their augmentations, whose strength grows meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganbench import Preset, Recipe, hookimpl


@hookimpl
def ganbench_presets() -> Iterator[Preset]:
    """R3GAN."""
    yield Preset(
        "r3gan",
        architecture="r3gan",
        loss="relativistic",
        regularizers=("r1", "r2"),
        recipe=Recipe({"r1.weight": 0.05, "r2.weight": 0.05, "ema_half_life": 5_000_000.0, "ema_ramp_up": 0.05}),
        paper="arXiv:2501.05441",
    )
