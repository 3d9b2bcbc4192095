"""Spectral normalization.  Miyato, Kataoka, Koyama & Yoshida 2018, arXiv:1802.05957, algorithm 1.

    W̄ = W / σ(W),    σ(W) ≈ uᵀ W v,    one step of power iteration for u and v at each forward pass in training

for the weights of every convolution, linear layer and embedding of the players in `spectral-norm.players`. A
convolution's weight counts as the matrix (outputs, inputs · kernel). `spectral-norm.on=false` switches it off where an
architecture brings it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ganbench import Recipe, Regularizer, SampleSpec, hookimpl
from ganbench_zoo.layers.initializers import CONVOLUTIONS


class SpectralNorm(nn.Module):
    """Normalizes the weights of players right after they are built."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.players: tuple[str, ...] = recipe["spectral-norm.players"] if recipe["spectral-norm.on"] else ()

    def wrap(self, player: str, maker: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        """A maker of the same network with normalized weights."""
        if player not in self.players:
            return maker

        def normalized() -> nn.Module:
            net = maker()
            for module in list(net.modules()):
                if isinstance(module, (*CONVOLUTIONS, nn.Linear, nn.Embedding)):
                    spectral_norm(module)
            return net

        return normalized


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Spectral normalization of D."""
    yield Regularizer(
        "spectral-norm",
        build=SpectralNorm,
        recipe=Recipe({"spectral-norm.on": True, "spectral-norm.players": ("D",)}),
        paper="arXiv:1802.05957",
    )
