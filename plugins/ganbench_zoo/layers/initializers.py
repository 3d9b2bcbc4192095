"""Weight initialisations that papers name. They draw from torch's default generator, which the engine seeds."""

from __future__ import annotations

from torch import nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
"""Every convolution that has a `weight`."""

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, nn.LayerNorm)


def normal_init(net: nn.Module, std: float = 0.02) -> None:
    """Convolutions and linear layers from N(0, std²), gains of normalizations from N(1, std²), biases 0.

    Radford et al. 2016, arXiv:1511.06434; the gains as in the authors' code.
    """
    for module in net.modules():
        if isinstance(module, (*CONVOLUTIONS, nn.Linear)):
            nn.init.normal_(module.weight, 0.0, std)
        elif isinstance(module, _NORMS) and module.weight is not None:
            nn.init.normal_(module.weight, 1.0, std)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def xavier_init(module: nn.Conv2d | nn.Linear, gain: float = 1.0) -> None:
    """Weight from a uniform distribution of variance `gain² · 2 / (fan_in + fan_out)`, bias 0.

    Glorot & Bengio 2010.
    """
    nn.init.xavier_uniform_(module.weight, gain)
    if module.bias is not None:
        nn.init.zeros_(module.bias)
