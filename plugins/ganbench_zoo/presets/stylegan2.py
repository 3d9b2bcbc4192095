"""StyleGAN2 as published, on small images.  Karras et al. 2020, arXiv:1912.04958, section 3 and appendix B.

Non-saturating loss, R1 every 16 steps of D, path length regularization every 4 of G, style mixing of 90 % of images,
Adam 2·10⁻³ with β = (0, 0.99), batches of 32, weights averaged with a half-life of 10,000 images.

It differs in what goes with the size of the images. γ of R1 is 10 for 1024×1024 pixels, and 0.01 here: the rule of
StyleGAN2-ADA (arXiv:2006.06676) has it go with the number of pixels, and its authors take 0.01 for CIFAR-10. And
penalties are terms of the step, where the authors give them steps of their own, with learning rate and β lessened.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganbench import Preset, Recipe, hookimpl


@hookimpl
def ganbench_presets() -> Iterator[Preset]:
    """StyleGAN2."""
    yield Preset(
        "stylegan2",
        architecture="stylegan2",
        loss="non-saturating",
        regularizers=("r1-coupled", "path-length"),
        recipe=Recipe({"r1-coupled.weight": 0.01}),
        paper="arXiv:1912.04958",
    )
