"""SGAN, semi-supervised GAN.  Odena 2016, arXiv:1606.01583; Salimans et al. 2016, arXiv:1606.03498, section 5.

D is a classifier of K classes and of one more, generated. Of its K + 1 logits the last is held at 0 (a softmax loses
nothing by it), so that with l the other K

    P(real | x) = Z / (Z + 1),  Z = Σ exp l_k(x);      logit D(x) = log Z
    L_D = E[softplus(-D(x))] + E[softplus(D(G(z)))] + E[cross entropy of l(x) and y] over real x whose label is known
    L_G = E[softplus(-D(G(z)))]

`labelled` is the share of real samples whose label D is told, always the same ones; the papers know 20 to 1,000 labels
of MNIST, and 0.02 are about 1,000 of 50,000. Their cross entropy counts 1 / `labelled` times, as if all labels were
known. The probe `accuracy` is the share of real samples that D classifies rightly though it is never told their label,
in a batch of training data.

G is as in DCGAN and knows no classes; the feature matching that Salimans et al. train it by is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ganbench import Answer, Batch, Game, GameBuilder, Recipe, SampleSpec, Turn, hookimpl
from ganbench_zoo.layers.coders import decoder, encoder


class Classifier(nn.Module):
    """Samples `(B, *spec.shape)` to K class logits `(B, K)` and the logit of being real `(B,)`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.layers = encoder(spec, spec.classes, recipe["width"], recipe["norm_D"])

    def forward(self, x: Tensor) -> Answer:
        """Which class, and whether any."""
        classes = self.layers(x)
        return Answer(logit=classes.logsumexp(1), classes=classes)


def known(index: Tensor, share: float) -> Tensor:
    """Whether the label of each sample `(B,)` is known: by its number alone, and scattered over the data set."""
    return index * 2654435761 % 2**32 < share * 2**32  # Knuth's multiplicative hash: 2³² by the golden ratio


def build(spec: SampleSpec, recipe: Recipe) -> Game:
    """G against a classifier."""
    share: float = recipe["labelled"]

    def judge(D: Any, G: Any, real: Any, latents: Batch) -> dict[str, Tensor]:
        told = known(real.extra["index"], share).to(real.x.dtype) / share
        label = told * F.cross_entropy(D.answer(real).classes, real.y, reduction="none")
        return {"real": F.softplus(-D(real)), "fake": F.softplus(D(G.make(latents))), "label": label}

    def fool(D: Any, G: Any, latents: Batch) -> dict[str, Tensor]:
        return {"fool": F.softplus(-D(G.make(latents)))}

    def sample(G: Any, latents: Batch) -> Batch:
        made: Batch = G.make(latents).but(y=None)
        return made

    def accuracy(D: Any, reals: Any) -> Tensor:
        real = reals["A"]
        new = ~known(real.extra["index"], share)
        right = D.answer(real).classes.argmax(1) == real.y
        return (right & new).sum() / new.sum()

    players = {
        "G": lambda: decoder(spec, recipe["latent"], recipe["width"], recipe["norm_G"]),
        "D": lambda: Classifier(spec, recipe),
    }
    turns = (Turn("D", ("D",), judge, times=recipe["d_steps"]), Turn("G", ("G",), fool, draws=False))
    return Game(players, turns, sample, probes={"accuracy": accuracy})


@hookimpl
def ganbench_games() -> Iterator[GameBuilder]:
    """The sgan."""
    yield GameBuilder(
        "sgan",
        build,
        offers=("labels",),
        recipe=Recipe(labelled=0.02, width=64, norm_G="batch", norm_D="none", latent=100, lr=2e-4, betas=(0.5, 0.999)),
        paper="arXiv:1606.01583",
    )
