"""Made-up data to hold plugins to: a ring of eight Gaussians, images of two blobs, noise of any shape."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganbench.api import SampleSpec
from ganbench.conformance.subject import Subject

MODES = 8


@dataclass(frozen=True)
class Form:
    """A kind of data. title: in words. spec: with classes, as a data set declares it. dtype: of the declared form."""

    title: str
    spec: SampleSpec
    dtype: torch.dtype

    def make(self, count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
        """Samples in the declared form, `(count, *shape)`, and their labels `(count,)`; the same for one seed."""
        generator = torch.Generator().manual_seed(seed)
        y = torch.randint(self.spec.classes or 1, (count,), generator=generator)
        if self.spec.modality == "points" and self.spec.shape == (2,):
            return ring(y, generator), y
        if self.spec.modality == "image" and len(self.spec.shape) == 3:
            return blobs(y, self.spec.shape, generator), y
        unit = torch.rand((count, *self.spec.shape), generator=generator)
        if self.dtype == torch.uint8:
            return (unit * 256).to(self.dtype), y
        if self.dtype == torch.int16:
            return (unit * 65535 - 32768).to(self.dtype), y
        low, high = self.spec.range or (-1.0, 1.0)
        return low + (high - low) * unit, y


def ring(modes: Tensor, generator: torch.Generator) -> Tensor:
    """Points `(B, 2)` around eight places on a circle of radius 0.4 about (0.4, 0.3), with a deviation of 0.02.

    Off the centre, where generators begin: whoever minimises the wrong sign moves away.
    """
    angle = modes * (2 * math.pi / MODES)
    places = torch.tensor([0.4, 0.3]) + 0.4 * torch.stack([angle.cos(), angle.sin()], dim=1)
    return places + 0.02 * torch.randn((len(modes), 2), generator=generator)


def blobs(sides: Tensor, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """uint8 images `(B, C, H, W)`: a bright blob at one of the places, a little shifted, of varying brightness."""
    channels, height, width = shape
    jitter = 0.1 * torch.randn((len(sides), 2, 1, 1), generator=generator)
    across = torch.linspace(-1, 1, width).view(1, 1, width) - torch.where(sides % 2 == 1, 0.4, -0.4).view(-1, 1, 1)
    down = torch.linspace(-1, 1, height).view(1, height, 1)
    glow = torch.exp(-((across - jitter[:, 0]) ** 2 + (down - jitter[:, 1]) ** 2) / 0.1)
    bright = 0.5 + 0.5 * torch.rand((len(sides), channels, 1, 1), generator=generator)
    return (255 * bright * glow.unsqueeze(1)).to(torch.uint8)


FORMS = (
    Form("points", SampleSpec((2,), modality="points", classes=MODES), torch.float32),
    Form("grey images of 28 pixels", SampleSpec((1, 28, 28), classes=2), torch.uint8),
    Form("colour images of 32 pixels", SampleSpec((3, 32, 32), classes=2), torch.uint8),
)
FURTHER = (
    Form("grey images of 32 pixels", SampleSpec((1, 32, 32), classes=2), torch.uint8),
    Form("colour images of 64 pixels", SampleSpec((3, 64, 64), classes=2), torch.uint8),
    Form("audio of 256 samples", SampleSpec((1, 256), modality="audio", classes=2), torch.int16),
    Form("video of 4 frames", SampleSpec((1, 4, 16, 16), modality="video", classes=2), torch.uint8),
    Form("sequences of 8 tokens", SampleSpec((8, 16), (0.0, 1.0), "sequence", 2), torch.float32),
)
"""Tried only where none of `FORMS` fits."""


def registered_forms(subject: Subject) -> list[Form]:
    """The forms of registered data sets, for what takes nothing else; their data is made up."""
    dtypes = {"image": torch.uint8, "video": torch.uint8, "audio": torch.int16}
    specs = [e.record.spec for e in subject.registry.of("dataset")]
    return [Form(f"{s.modality} of shape {s.shape}", s, dtypes.get(s.modality, torch.float32)) for s in specs]


def energy_distance(a: Tensor, b: Tensor) -> float:
    """2 E‖a - b‖ - E‖a - a'‖ - E‖b - b'‖ of samples `(N, …)`: 0 exactly where the distributions are equal."""
    a, b = a.flatten(1).double(), b.flatten(1).double()
    return float(2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean())
