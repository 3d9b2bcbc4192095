"""An autoencoder as D.  Zhao, Mathieu & LeCun 2017, arXiv:1609.03126; Berthelot et al. 2017, arXiv:1703.10717.

    energy(x) = mean over the values of |Dec(Enc(x)) - x|ᵖ,    logit = -energy,    features = Enc(x)

What D cannot rebuild has a high energy. p is 1 with `energy="absolute"` (BEGAN) and 2 with `"squared"` (EBGAN). `code`
is the width of Enc(x), held to half the number of a sample's values, for D must not merely copy. The losses `began`
and `ebgan` read the energy; for all others it is a negated logit, so that every loss and penalty can be tried on it. G
has the form of the decoder.

Encoder and decoders are as in DCGAN, after EBGAN; BEGAN's 3×3 convolutions with ELUs and its skips are left out.
Samples that are no square images go through linear layers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor, nn

from ganbench import Answer, Architecture, Recipe, SampleSpec, UsageError, hookimpl
from ganbench_zoo.layers.coders import decoder, encoder
from ganbench_zoo.layers.norms import per_sample

POWERS = {"absolute": 1, "squared": 2}


def generator(spec: SampleSpec, recipe: Recipe) -> nn.Module:
    """Latents `(B, latent)` to samples `(B, *spec.shape)` in `spec.range`."""
    return decoder(spec, recipe["latent"], recipe["width"], recipe["norm_G"])


class Autoencoder(nn.Module):
    """Samples `(B, *spec.shape)` to energies `(B,)`, 0 or more, and codes `(B, width)` as features."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.width: int = min(recipe["code"], max(1, math.prod(spec.shape) // 2))
        if recipe["energy"] not in POWERS:
            raise UsageError(f"energy is one of {', '.join(POWERS)}, not {recipe['energy']!r}")
        self.power = POWERS[recipe["energy"]]
        self.encoder = encoder(spec, self.width, recipe["width"], recipe["norm_D"])
        self.decoder = decoder(spec, self.width, recipe["width"], recipe["norm_D"])

    def forward(self, x: Tensor) -> Answer:
        """How badly each sample is rebuilt."""
        code = self.encoder(x)
        energy = (self.decoder(code) - x).abs().pow(self.power).flatten(1).mean(1)
        return Answer(logit=-energy, features=code, energy=energy)


def traits(spec: SampleSpec, recipe: Recipe) -> tuple[str, ...]:
    """An energy and features always; each sample on its own unless D has a batch norm."""
    return ("energy", "features", *(("per-sample-D",) if per_sample(recipe["norm_D"]) else ()))


@hookimpl
def ganbench_architectures() -> Iterator[Architecture]:
    """The autoencoder."""
    yield Architecture(
        "autoencoder",
        generator,
        Autoencoder,
        offers=traits,
        recipe=Recipe(
            width=64,
            code=64,
            energy="absolute",
            norm_G="batch",
            norm_D="batch",
            latent=100,
            lr=2e-4,
            betas=(0.5, 0.999),
            batch_size=128,
        ),
        paper="arXiv:1609.03126",
    )
