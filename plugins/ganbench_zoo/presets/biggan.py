"""BigGAN's training, on networks for small images.  Brock, Donahue & Simonyan 2019, arXiv:1809.11096, section 3.

Hinge loss, spectral norm in D and in G, orthogonal regularization of G with β = 10⁻⁴, Adam with β = (0, 0.999) and
learning rates of 2·10⁻⁴ in D and 5·10⁻⁵ in G, two D steps for each G step, weights averaged with a decay of 0.9999 a
step: a half-life of 6,931 steps, here at most 5 % of those so far.

It differs in what goes with ImageNet at 128 pixels and more: the networks, batches of 2048, here 256 (the paper's
smallest), and statistics of batch norm over all devices.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganbench import Preset, Recipe, hookimpl


@hookimpl
def ganbench_presets() -> Iterator[Preset]:
    """BigGAN."""
    yield Preset(
        "biggan",
        architecture="biggan",
        loss="hinge",
        regularizers=("orthogonal",),
        recipe=Recipe(
            {
                "spectral-norm.players": ("D", "G"),
                "orthogonal.weight": 1e-4,
                "ema_half_life": 6_931 * 256.0,
                "ema_ramp_up": 0.05,
            }
        ),
        paper="arXiv:1809.11096",
    )
