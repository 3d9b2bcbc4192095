"""A loss, a regularizer and an architecture, each broken in one way; `BROKEN` says which check has to find it."""

from __future__ import annotations

import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ganbench import ANYTHING, Answer, Architecture, Loss, Recipe, Regularizer, hookimpl

BROKEN: dict[str, str] = {}
ARCHITECTURES: list[Architecture] = []
LOSSES: list[Loss] = []


class Generator(nn.Module):
    """Latents to samples, in one layer and a bounded activation."""

    def __init__(self, spec, recipe):
        super().__init__()
        self.shape = spec.shape
        self.first = nn.Linear(recipe["latent"], 32)
        self.last = nn.Linear(32, int(np.prod(spec.shape)))

    def forward(self, z):
        return self.last(F.leaky_relu(self.first(z), 0.2)).tanh().unflatten(1, self.shape)


class Discriminator(nn.Module):
    """Samples to logits."""

    def __init__(self, spec, recipe):
        super().__init__()
        self.first, self.last = nn.Linear(int(np.prod(spec.shape)), 32), nn.Linear(32, 1)

    def forward(self, x):
        return self.last(F.leaky_relu(self.first(x.flatten(1)), 0.2)).squeeze(1)


def architecture(check, generator=Generator, discriminator=Discriminator, offers=("per-sample-D",)):
    name = f"bad-{generator.__name__}-{discriminator.__name__}".lower()
    BROKEN[f"architecture/{name}"] = check
    ARCHITECTURES.append(Architecture(name, generator, discriminator, ANYTHING, offers, recipe=Recipe(lr=2e-3)))


class Flat(Generator):
    def forward(self, z):
        return super().forward(z).flatten(1)[:, :-1]


class Unbounded(Generator):
    def forward(self, z):
        return self.last(F.leaky_relu(self.first(z), 0.2)).unflatten(1, self.shape)


class Deaf(Generator):
    def forward(self, z):
        return super().forward(torch.ones_like(z))


class Detached(Generator):
    def forward(self, z):
        return super().forward(z).detach()


class Unused(Generator):
    def __init__(self, spec, recipe):
        super().__init__(spec, recipe)
        self.forgotten = nn.Linear(3, 3)


class Seeding(Generator):
    def forward(self, z):
        torch.manual_seed(3)
        return super().forward(z + 0.01 * torch.randn_like(z))


class Generating(Generator):
    def forward(self, z):
        own = torch.Generator().manual_seed(5)
        return super().forward(z + 0.01 * torch.randn(z.shape, generator=own))


class Left(Generator):
    def __init__(self, spec, recipe):
        super().__init__(spec, recipe)
        self.noise = torch.full((1, recipe["latent"]), 0.1)

    def forward(self, z):
        return super().forward(z + self.noise)


class Pinned(Generator):
    def forward(self, z):
        return super().forward(z.cpu())


class Column(Discriminator):
    def forward(self, x):
        return super().forward(x).unsqueeze(1)


class Unclassified(Discriminator):
    def forward(self, x):
        logit = super().forward(x)
        return Answer(logit, classes=logit.unsqueeze(1))


class Batchwise(Discriminator):
    def forward(self, x):
        return super().forward(x - x.mean(0))


architecture("output-shape", Flat)
architecture("output-range", Unbounded)
architecture("uses-latents", Deaf)
architecture("attached", Detached)
architecture("gradients", Unused)
architecture("own-seed", Seeding)
architecture("own-seed", Generating)
architecture("devices", Left)
architecture("host-reads", Pinned)
architecture("answers", discriminator=Column)
architecture("class-logits", discriminator=Unclassified, offers=("labels", "classes"))
architecture("per-sample", discriminator=Batchwise)


def discriminator(D, real, fake):
    return F.softplus(-D(real)) + F.softplus(D(fake))


def generator(D, fake):
    return F.softplus(-D(fake))


def loss(check, discriminator=discriminator, generator=generator, **fields):
    name = f"bad-{check}-{len(LOSSES)}"
    BROKEN[f"loss/{name}"] = check
    LOSSES.append(Loss(name, discriminator, generator, **fields))


def squares(D, real, fake):
    return discriminator(D, real, fake).unsqueeze(1) * torch.ones(1, 3)


def not_a_number(D, real, fake):
    return discriminator(D, real, fake) + (D(real) * 0 - 1).log()


def numpy_noise(D, real, fake):
    return discriminator(D, real, fake) * (1 + 0.1 * float(np.random.rand()))


def python_noise(D, real, fake):
    return discriminator(D, real, fake) * (1 + 0.1 * random.random())


def writing(D, real, fake):
    with torch.no_grad():
        real.x.clamp_(-0.1, 0.1)
    return discriminator(D, real, fake)


def reading(D, real, fake):
    return discriminator(D, real, fake) * (2.0 if D(real).mean().item() > 0 else 1.0)


def converting(D, real, fake):
    return discriminator(D, real, fake) * float(1 + np.abs(D(real).detach().numpy()).mean())


def blind(D, fake):
    return F.softplus(-D(fake.but(x=fake.x.detach())))


def away(D, fake):
    return F.softplus(D(fake))


class Counter(nn.Module):
    """Memory that no state dict knows of."""

    def __init__(self):
        super().__init__()
        self.count = torch.zeros(())

    def after(self, turn):
        self.count = self.count + 1


def remembering(D, real, fake, own):
    return discriminator(D, real, fake) * (1 + own.count.to(D(real).device))


COUNTS = {"steps": 0}


def counting(D, real, fake):
    COUNTS["steps"] += 1
    return discriminator(D, real, fake) * (1 + 0.1 * COUNTS["steps"])


def raising(D, real, fake):
    raise RuntimeError("it broke")


loss("values", squares)
loss("finite", not_a_number)
loss("foreign-randomness", numpy_noise)
loss("foreign-randomness", python_noise)
loss("keeps-batches", writing)
loss("host-reads", reading)
loss("host-reads", converting)
loss("attached", generator=blind)
loss("comes-closer", generator=away)
loss("resumes", remembering, build=lambda spec, recipe: Counter())
loss("repeatable", counting)
loss("trains", raising)
loss("recipe-keys", recipe=Recipe({"weigth": 1.0}))


def farther(D, fake):
    return 5 * D(fake)


BROKEN["regularizer/bad-comes-closer"] = "comes-closer"


@hookimpl
def ganbench_regularizers():
    yield Regularizer("bad-comes-closer", generator=farther)


@hookimpl
def ganbench_architectures():
    yield from ARCHITECTURES


@hookimpl
def ganbench_losses():
    yield from LOSSES
