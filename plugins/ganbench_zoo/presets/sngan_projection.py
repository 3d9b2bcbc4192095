"""SNGAN with a projection discriminator, as published for CIFAR-10.  Miyato & Koyama 2018, arXiv:1802.05637, app. A.

SNGAN's ResNet with the class in the norms of G and in the projection of D, hinge loss, Adam 2·10⁻⁴ with β = (0, 0.9),
five D steps for each G step; batches of 64 and the learning rate falling linearly to 0 as in the authors' configuration
for CIFAR-10. It differs in two things: the authors' G steps take 128 generated samples, here they take as many as D's;
and their generated labels are uniform, here they follow the data's frequencies, which on CIFAR-10 is the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganbench import Preset, Recipe, hookimpl


@hookimpl
def ganbench_presets() -> Iterator[Preset]:
    """SNGAN with a projection discriminator."""
    yield Preset(
        "sngan-projection",
        architecture="projection-resnet",
        loss="hinge",
        recipe=Recipe(lr=2e-4, betas=(0.0, 0.9), batch_size=64, d_steps=5, lr_decay="linear"),
        paper="arXiv:1802.05637",
    )
