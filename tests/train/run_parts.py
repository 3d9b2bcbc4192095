"""Losses that go wrong on purpose, and games whose turns are odd, to train on digits with the zoo's networks."""

from __future__ import annotations

import time

import torch
from torch import nn

from ganbench import Architecture, Batch, Game, GameBuilder, Loss, Recipe, Regularizer, Turn, hookimpl


def critic(D, real, fake):
    return D(fake) - D(real)


def generator(D, fake):
    return -D(fake)


def slow_generator(D, fake, recipe):
    time.sleep(recipe["t-slow.seconds"])
    return -D(fake)


def not_a_number(D, fake, step, recipe):
    return torch.where(step == recipe["t-nan.step"], float("nan"), -D(fake))


def steep(D, fake):
    """Zero, with a slope that is no number."""
    return (D(fake) * 0).square().sqrt()


def raises(D, fake):
    raise RuntimeError("it broke\nbeyond repair")


def mismatched(D, fake):
    return nn.Linear(3, 3)(torch.zeros(2, 2))


class Remembers(nn.Module):
    """Noise on D's inputs that follows D's answers so far: memory in buffers, and draws of its own."""

    def __init__(self, spec, recipe):
        super().__init__()
        self.register_buffer("p", torch.tensor(0.5))
        self.register_buffer("mean", torch.zeros(()))

    def view(self, batch):
        return batch.but(x=batch.x + self.p * torch.randn_like(batch.x))

    def after(self, turn, seen):
        if turn == "D":
            self.mean.lerp_(torch.cat(seen["real"]).mean(), 0.1)
            self.p.add_(0.01 * self.mean.sign()).clamp_(0, 1)


class Fleeting(nn.Module):
    """Memory that no state_dict holds: a constant mask, a count that noise follows, and a cache that comes to be."""

    def __init__(self, spec, recipe):
        super().__init__()
        self.register_buffer("mask", torch.ones(spec.shape).tril(), persistent=False)
        self.register_buffer("count", torch.zeros(()), persistent=False)
        self.register_buffer("cache", None, persistent=False)

    def view(self, batch):
        if self.cache is None:
            self.cache = torch.full((1,), 0.5, device=batch.x.device)
        return batch.but(x=batch.x * self.mask + self.cache * self.count.sin())

    def after(self, turn, seen):
        self.count.add_(1)


class Net(nn.Module):
    """One linear layer, for latents and for samples."""

    def __init__(self, inputs, *outputs):
        super().__init__()
        self.linear, self.shape = nn.Linear(inputs, torch.Size(outputs).numel()), outputs

    def forward(self, x):
        return self.linear(x.flatten(1)).reshape(len(x), *self.shape).tanh()


class Maker(Net):
    def forward(self, z):
        return super().forward(z)


def game(name, turns, sample=lambda nets, latents: nets["G"].make(latents)):
    """A game of a generator and a discriminator with these turns."""

    def build(spec, recipe):
        pixels = torch.Size(spec.shape).numel()
        players = {"G": lambda: Maker(recipe["latent"], *spec.shape), "D": lambda: Net(pixels, 1)}
        return Game(players, turns, sample)

    return GameBuilder(name, build)


def matched(nets, latents, real):
    fake: Batch = nets["G"].make(latents)
    return {"match": (fake.get("x") - real.get("x")).square().mean()}


def rows(nets, latents):
    made = nets["G"].make(latents)
    return made.but(x=made.x.flatten(1))


def bare(nets, latents):
    return nets["G"].make(latents).x


def judged(nets, real):
    return {"judge": nets["D"](real).mean()}


class Late(Maker):
    """Scales what it makes by a buffer that comes to be in the first forward pass."""

    def __init__(self, inputs, outputs, form):
        super().__init__(inputs, *outputs)
        if form != "absent":
            self.register_buffer("scale", None, persistent=form == "persistent")

    def forward(self, z):
        made = super().forward(z)
        if getattr(self, "scale", None) is None:
            value = 0.5 + made.detach().abs().mean()
            if hasattr(self, "scale"):
                self.scale = value
            else:
                self.register_buffer("scale", value)
        return made * self.scale


class Several(Net):
    """Logits in a form of its own: a tuple, a column, the mean alone, or two for each sample, which is allowed."""

    def __init__(self, pixels, form):
        super().__init__(pixels, 2 if form == "two" else 1)
        self.form = form

    def forward(self, x):
        said = super().forward(x)
        forms = {"tuple": (said, said), "column": said, "mean": said.mean(), "two": said}
        return forms[self.form]


def maker(spec, recipe):
    return Maker(recipe["latent"], *spec.shape)


def flat_maker(spec, recipe):
    return Maker(recipe["latent"], torch.Size(spec.shape).numel())


def late_maker(form):
    return lambda spec, recipe: Late(recipe["latent"], spec.shape, form)


def said_as(form):
    return lambda spec, recipe: Several(torch.Size(spec.shape).numel(), form)


@hookimpl
def ganbench_architectures():
    yield Architecture("t-flat", flat_maker, said_as("two"))
    for form in ("fleeting", "persistent", "absent"):
        yield Architecture(f"t-{form}-buffer", late_maker(form), said_as("two"))
    for form in ("tuple", "column", "mean", "two"):
        yield Architecture(f"t-{form}", maker, said_as(form))


@hookimpl
def ganbench_losses():
    yield Loss("t-slow", critic, slow_generator, recipe=Recipe({"t-slow.seconds": 0.0}))
    yield Loss("t-nan", critic, not_a_number, recipe=Recipe({"t-nan.step": 37}))
    yield Loss("t-steep", critic, steep)
    yield Loss("t-raises", critic, raises)
    yield Loss("t-mismatched", critic, mismatched)


@hookimpl
def ganbench_regularizers():
    yield Regularizer("t-fleeting", lambda D, real: D(real).square(), build=Fleeting)
    yield Regularizer("t-memory", lambda D, real, own: (D(real) - own.mean).square(), build=Remembers)


@hookimpl
def ganbench_games():
    yield game("t-alone", (Turn("G", ("G",), matched),))
    yield game("t-rows", (Turn("G", ("G",), matched),), rows)
    yield game("t-bare", (Turn("G", ("G",), matched),), bare)
    yield game("t-lazy", (Turn("D", ("D",), judged, when=lambda cycle: cycle % 3 == 2), Turn("G", ("G",), matched)))
