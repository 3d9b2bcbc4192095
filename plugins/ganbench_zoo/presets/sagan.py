"""SAGAN's training, on networks for small images.  Zhang et al. 2019, arXiv:1805.08318, section 4.

Hinge loss, spectral norm in D and in G, Adam with β = (0, 0.9) and learning rates of 4·10⁻⁴ in D and 10⁻⁴ in G, one D
step for each G step, as the paper has it for ImageNet. It differs in what goes with the size of the images: the paper's
networks are for 128 pixels, these for 28 and 32, and batches are of 64.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganbench import Preset, Recipe, hookimpl


@hookimpl
def ganbench_presets() -> Iterator[Preset]:
    """SAGAN."""
    yield Preset(
        "sagan",
        architecture="attention-resnet",
        loss="hinge",
        recipe=Recipe(
            {
                "spectral-norm.players": ("D", "G"),
                "lr_D": 4e-4,
                "lr_G": 1e-4,
                "betas": (0.0, 0.9),
                "d_steps": 1,
                "batch_size": 64,
            }
        ),
        paper="arXiv:1805.08318",
    )
