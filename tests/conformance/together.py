"""An architecture and a loss that only go with each other and say so nowhere; one that needs what a preset adds."""

from __future__ import annotations

import torch
from torch import nn

from ganbench import Answer, Architecture, Loss, Preset, Regularizer, hookimpl


class Generator(nn.Module):
    """Latents to samples."""

    def __init__(self, spec, recipe):
        super().__init__()
        self.shape = spec.shape
        self.line = nn.Linear(recipe["latent"], spec.shape[0] if len(spec.shape) == 1 else 784)

    def forward(self, z):
        return self.line(z).tanh().view(-1, *self.shape)


class Coded(Generator):
    """It needs a field that only `Coder` brings."""

    def forward(self, z, code):
        return super().forward(z + code)


class Discriminator(nn.Module):
    """Samples to energies: no logit."""

    def __init__(self, spec, recipe):
        super().__init__()
        self.line = nn.Linear(torch.Size(spec.shape).numel(), 1)

    def forward(self, x):
        return Answer(energy=self.line(x.flatten(1)).squeeze(1).square())


class Coder(nn.Module):
    """Codes beside the latents."""

    def latents(self, batch):
        return batch.but(extra={"code": torch.randn_like(batch.z)})

    inputs = latents


def discriminator(D, real, fake):
    return D.answer(real).energy + (1 - D.answer(fake).energy).relu()


def generator(D, fake):
    return D.answer(fake).energy


class Small:
    """Points only."""

    def refuses(self, spec):
        return None if spec.shape == (2,) else "takes points"


@hookimpl
def ganbench_architectures():
    yield Architecture("energetic", Generator, Discriminator, Small())
    yield Architecture("coded", Coded, Discriminator, Small())


@hookimpl
def ganbench_losses():
    yield Loss("energy", discriminator, generator)


@hookimpl
def ganbench_regularizers():
    yield Regularizer("coder", build=lambda spec, recipe: Coder())


@hookimpl
def ganbench_presets():
    yield Preset("coded-energy", "coded", "energy", ("coder",))
