"""Labels and codes: what D answers beside a logit, what G takes beside latents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench import Answer, Architecture, Loss, Recipe, Regularizer, SampleSpec

from .base import LABELLED, WIDTH, Discriminator, Generator, StandIn


class Concatenating(Discriminator):
    """cGAN, arXiv:1411.1784: the label enters with the sample."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec.but(shape=(spec.shape[0] + 4,)), recipe)
        self.label = nn.Embedding(spec.classes, 4)

    def forward(self, x: Tensor, y: Tensor) -> Answer:
        return super().forward(torch.cat([x, self.label(y)], 1))


class Projecting(Discriminator):
    """Projection, arXiv:1802.05637: the logit grows by the features' product with the label's embedding."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        self.label = nn.Embedding(spec.classes, WIDTH)

    def forward(self, x: Tensor, y: Tensor) -> Answer:
        said = super().forward(x)
        return Answer(logit=said.logit + (said.features * self.label(y)).sum(1), features=said.features)


class Classifying(Discriminator):
    """K + 1 class logits and nothing else; the last class is `fake`."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        self.last = nn.Linear(WIDTH, spec.classes + 1)

    def forward(self, x: Tensor) -> Answer:
        return Answer(classes=self.last(F.leaky_relu(self.first(x.flatten(1)), 0.2)))


def architecture(discriminator: Any) -> Architecture:
    """The toy with another discriminator."""
    return Architecture("toy", Generator, discriminator, offers=("labels", "features", "per-sample-D"))


class Head(nn.Module):
    """A head on D's features, made when D is: `wrap` sees the width."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.outputs, self.label = spec.classes, nn.Embedding(max(spec.classes, 1), WIDTH)

    def wrap(self, player: str, maker: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        def build() -> nn.Module:
            net = maker()
            self.head = nn.Linear(net.width, self.outputs)
            return net

        return build if player == "D" else maker


class Classifier(Head):
    """ACGAN, arXiv:1610.09585."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        del self.label

    def loss(self, D: Any, batch: Any) -> Tensor:
        return F.cross_entropy(self.head(D.answer(batch).features), batch.y, reduction="none")


class Contrast(Head):
    """2C of ContraGAN, arXiv:2006.12681, eq. 8."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        self.outputs = WIDTH

    def loss(self, D: Any, batch: Any) -> Tensor:
        hidden = F.normalize(self.head(D.answer(batch).features))
        proxy = (hidden * F.normalize(self.label(batch.y))).sum(1).exp()
        others = (hidden @ hidden.T).exp() * (1 - torch.eye(len(hidden), device=hidden.device))
        same = others * (batch.y[:, None] == batch.y)
        return ((proxy + others.sum(1)) / (proxy + same.sum(1))).log()


def _multi_hinge(D: Any, batch: Any, wanted: Tensor) -> Tensor:
    """arXiv:1912.04216: the wanted class beats every other by one."""
    logits = D.answer(batch).classes
    mine = logits.gather(1, wanted[:, None])
    others = logits.scatter(1, wanted[:, None], -1e9).amax(1)
    return F.relu(1 - mine[:, 0] + others)


MULTI_HINGE = Loss(
    "multi-hinge",
    lambda D, real, fake, spec: (
        _multi_hinge(D, real, real.y) + _multi_hinge(D, fake, torch.full_like(fake.y, spec.classes))
    ),
    lambda D, fake: _multi_hinge(D, fake, fake.y),
)


class Codes(Head):
    """InfoGAN, arXiv:1606.03657: two uniform codes join the latents, and a head Q finds them again."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        self.outputs = 2
        del self.label

    def latents(self, batch: Any) -> Any:
        return batch.but(extra={**batch.extra, "code": torch.rand(len(batch.z), 2, device=batch.z.device) * 2 - 1})

    inputs = latents


class CodedGenerator(Generator):
    """Takes a code beside the latents."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__(spec, recipe)
        self.code = nn.Linear(2, recipe["latent"])

    def forward(self, z: Tensor, code: Tensor) -> Tensor:
        return super().forward(z + self.code(code))


def _found(D: Any, own: Any, fake: Any) -> Tensor:
    return (own.head(D.answer(fake).features) - fake.extra["code"]).square().sum(1)


ACGAN = Regularizer(
    "acgan",
    lambda own, D, real: own.loss(D, real),
    lambda own, D, fake: own.loss(D, fake),
    build=Classifier,
    heads=("D",),
    requires=("features",),
)
TWO_C = Regularizer(
    "2c",
    lambda own, D, real: own.loss(D, real),
    lambda own, D, fake: own.loss(D, fake),
    build=Contrast,
    heads=("D",),
    couples_samples=True,
)
INFO = Regularizer("info", _found, _found, build=Codes, heads=("D", "G"), requires=("features",))

CASES = [
    StandIn("cgan", architecture=architecture(Concatenating), spec=LABELLED),
    StandIn("projection", architecture=architecture(Projecting), spec=LABELLED),
    StandIn("acgan", others=(ACGAN,), spec=LABELLED),
    StandIn("2c", others=(TWO_C,), spec=LABELLED),
    StandIn("multi-hinge", MULTI_HINGE, architecture=architecture(Classifying), spec=LABELLED),
    StandIn("infogan", others=(INFO,), architecture=Architecture("coded", CodedGenerator, Discriminator)),
]
