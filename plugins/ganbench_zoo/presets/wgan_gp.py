"""WGAN-GP as published for CIFAR-10.  Gulrajani et al. 2017, arXiv:1704.00028, appendix (unsupervised ResNet).

G and D are ResNets of 128 channels; batch norm in G, no normalization in D, mean pooling before D's output, no spectral
norm. Penalty weight 10, Adam 2·10⁻⁴ (not the 10⁻⁴ of algorithm 1) with β = (0, 0.9), falling linearly to 0, five critic
steps, batches of 64. It differs in three things: D's output has no bias (it cancels in the critic's loss), weights of
the residual paths start from Xavier's distribution where the authors use He's, and the authors' G steps take 128
generated samples.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganbench import Preset, Recipe, hookimpl


@hookimpl
def ganbench_presets() -> Iterator[Preset]:
    """WGAN-GP."""
    yield Preset(
        "wgan-gp",
        architecture="resnet",
        loss="wgan-gp",
        recipe=Recipe(
            {
                "spectral-norm.on": False,
                "width": 128,
                "width_ratio": 1,
                "norm_D": "none",
                "pool": "mean",
                "lr": 2e-4,
                "betas": (0.0, 0.9),
                "batch_size": 64,
                "d_steps": 5,
                "lr_decay": "linear",
            }
        ),
        paper="arXiv:1704.00028",
    )
