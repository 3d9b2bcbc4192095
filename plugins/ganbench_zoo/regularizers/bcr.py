"""Balanced consistency regularization, bCR.  Zhao, Singh, Lee, Zhang, Odena & Zhang 2021, arXiv:2002.04724.

    λ_real E[(D(x) - D(T(x)))²] + λ_fake E[(D(G(z)) - D(T(G(z))))²],    λ_real = λ_fake = 10

T moves an image by a few pixels at random and mirrors half of them, as for `consistency`, which has the first term
alone: G may then learn to make what T leaves behind. `bcr.pixels` is the largest shift in each direction;
`bcr.mirror=false` suits digits and letters. With `zcr` it is the paper's ICR-GAN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, SampleSpec, hookimpl
from ganbench_zoo.layers.shifts import shift_and_mirror


def discriminator(D: Callable[[Batch], Tensor], real: Batch, fake: Batch, recipe: Recipe) -> Tensor:
    """Squared differences of D's logits of images, real and generated, and of these moved, `(B,)`."""

    def inconsistency(batch: Batch) -> Tensor:
        x = shift_and_mirror(batch.get("x"), recipe["bcr.pixels"], recipe["bcr.mirror"])
        return (D(batch) - D(batch.but(x=x, origin="view"))).square()

    return recipe["bcr.real"] * inconsistency(real) + recipe["bcr.fake"] * inconsistency(fake)


def fits(spec: SampleSpec, recipe: Recipe, others: tuple[str, ...]) -> str | None:
    """Images that are larger than the shift."""
    if spec.modality != "image":
        return f"moves images, not {spec.modality}"
    if not 0 <= recipe["bcr.pixels"] < min(spec.shape[-2:]):
        return f"bcr.pixels={recipe['bcr.pixels']} is no shift of images of {min(spec.shape[-2:])} pixels"
    return None


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Consistency of D on real and generated images."""
    yield Regularizer(
        "bcr",
        discriminator,
        recipe=Recipe({"bcr.real": 10.0, "bcr.fake": 10.0, "bcr.pixels": 4, "bcr.mirror": True}),
        fits=fits,
        paper="arXiv:2002.04724",
    )
