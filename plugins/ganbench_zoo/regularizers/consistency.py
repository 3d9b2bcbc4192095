"""Consistency regularization of D, CR-GAN.  Zhang, Zhang, Odena & Lee 2020, arXiv:1910.12027.

    λ E[(D(x) - D(T(x)))²],    λ = 10

D, its logit, is to say the same of an image and of T(x): the image moved by a few pixels at random, and mirrored in
half of the cases. `consistency.pixels` is the largest shift in each direction; `consistency.mirror=false` suits digits
and letters. `bcr` treats generated images in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from ganbench import Batch, Recipe, Regularizer, SampleSpec, hookimpl
from ganbench_zoo.layers.shifts import shift_and_mirror


def discriminator(D: Callable[[Batch], Tensor], real: Batch, recipe: Recipe) -> Tensor:
    """Squared differences of D's logits of real images and of these moved, `(B,)`."""
    x = shift_and_mirror(real.get("x"), recipe["consistency.pixels"], recipe["consistency.mirror"])
    return (D(real) - D(real.but(x=x, origin="view"))).square()


def fits(spec: SampleSpec, recipe: Recipe, others: tuple[str, ...]) -> str | None:
    """Images that are larger than the shift."""
    if spec.modality != "image":
        return f"moves images, not {spec.modality}"
    if not 0 <= recipe["consistency.pixels"] < min(spec.shape[-2:]):
        return (
            f"consistency.pixels={recipe['consistency.pixels']} is no shift of images of {min(spec.shape[-2:])} pixels"
        )
    return None


@hookimpl
def ganbench_regularizers() -> Iterator[Regularizer]:
    """Consistency of D on real images."""
    yield Regularizer(
        "consistency",
        discriminator,
        recipe=Recipe({"consistency.weight": 10.0, "consistency.pixels": 4, "consistency.mirror": True}),
        fits=fits,
        paper="arXiv:1910.12027",
    )
