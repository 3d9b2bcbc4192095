"""SNGAN as published for CIFAR-10.  Miyato, Kataoka, Koyama & Yoshida 2018, arXiv:1802.05957, appendix B.

ResNet with spectral norm, hinge loss, Adam 2·10⁻⁴ with β = (0, 0.9), five D steps for each G step, batches of 64, and
the learning rate falling linearly to 0 as in the authors' CIFAR-10 configuration. It differs in one thing: the authors'
G steps take 128 generated samples, here they take as many as D's.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganbench import Preset, Recipe, hookimpl


@hookimpl
def ganbench_presets() -> Iterator[Preset]:
    """SNGAN."""
    yield Preset(
        "sngan",
        architecture="resnet",
        loss="hinge",
        recipe=Recipe(lr=2e-4, betas=(0.0, 0.9), batch_size=64, d_steps=5, lr_decay="linear"),
        paper="arXiv:1802.05957",
    )
