"""CycleGAN: translation between two sets of unpaired samples.  Zhu, Park, Isola & Efros 2017, arXiv:1703.10593.

Two data streams A and B, two translators and two critics. For each way s → d

    L_D = ½ E[(D_d(x_d) - 1)²] + ½ E[D_d(pool of G_sd(x_s))²]
    L_G = E[(D_d(G_sd(x_s)) - 1)²] + λ E|G_ds(G_sd(x_s)) - x_s| + ι E|G_sd(x_d) - x_d|

with λ = 10 (`cycle`) and ι = 0 (`identity`; the paper's 0.5 λ is for paintings, where colours should stay). Critics see
a pool of the last `pool` = 50 translations of each kind: one of a batch is swapped for an older one half of the time
(Shrivastava et al. 2017, arXiv:1612.07828). Samples are what G_BA makes of B, for they are compared with A. The probe
`cycle` is the mean of |G_BA(G_AB(x)) - x| over a batch of A.

Images: translators as published, a 7×7 convolution, two that halve, `blocks` residual pairs (6), two that double, 7×7,
with instance norms; critics judge patches, by 4×4 convolutions of stride 2 (three, below 64 pixels two) and 3×3 ones.
Borders are filled with zeros where the paper mirrors. All else goes through linear layers. `width` = 64, Adam, 2·10⁻⁴,
batches of 1 as published. Critics are shown translations by translators that have just moved.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ganbench import Game, GameBuilder, Recipe, SampleSpec, Turn, UsageError, hookimpl
from ganbench_zoo.layers.initializers import normal_init
from ganbench_zoo.layers.outputs import output_activation

WAYS = (("A", "B"), ("B", "A"))


def are_maps(spec: SampleSpec) -> bool:
    """Whether samples are images that can be halved twice."""
    return spec.modality == "image" and len(spec.shape) == 3 and all(size % 4 == 0 for size in spec.shape[1:])


class Residual(nn.Module):
    """x plus what two 3×3 convolutions make of it, `(B, width, H, W)`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.InstanceNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.InstanceNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The sum."""
        return x + self.layers(x)


def translator(spec: SampleSpec, recipe: Recipe) -> nn.Module:
    """Samples `(B, *spec.shape)` of one kind to samples of the other, in `spec.range`."""
    width: int = recipe["width"]
    end = output_activation(spec.range)
    if not are_maps(spec):
        size = math.prod(spec.shape)
        hidden = [nn.Linear(size, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, size)]
        return nn.Sequential(nn.Flatten(), *hidden, end, nn.Unflatten(1, spec.shape))
    layers: list[nn.Module] = [
        nn.Conv2d(spec.shape[0], width, 7, 1, 3, bias=False),
        nn.InstanceNorm2d(width),
        nn.ReLU(),
    ]
    for fine, coarse in ((width, 2 * width), (2 * width, 4 * width)):
        layers += [nn.Conv2d(fine, coarse, 3, 2, 1, bias=False), nn.InstanceNorm2d(coarse), nn.ReLU()]
    layers += [Residual(4 * width) for _ in range(recipe["blocks"])]
    for coarse, fine in ((4 * width, 2 * width), (2 * width, width)):
        layers += [nn.ConvTranspose2d(coarse, fine, 3, 2, 1, 1, bias=False), nn.InstanceNorm2d(fine), nn.ReLU()]
    net = nn.Sequential(*layers, nn.Conv2d(width, spec.shape[0], 7, 1, 3), end)
    normal_init(net)
    return net


def critic(spec: SampleSpec, recipe: Recipe) -> nn.Module:
    """Samples `(B, *spec.shape)` to logits `(B, patches)`; `(B,)` where they are no images."""
    width: int = recipe["width"]
    if not are_maps(spec):
        hidden = [
            nn.Linear(math.prod(spec.shape), width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
        ]
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(width, 1), nn.Flatten(0))
    layers: list[nn.Module] = [nn.Conv2d(spec.shape[0], width, 4, 2, 1), nn.LeakyReLU(0.2)]
    steps = [(width, 2 * width, 2), (2 * width, 4 * width, 2 if min(spec.shape[1:]) >= 64 else 1)]
    for inputs, outputs, stride in steps:
        kernel = 4 if stride == 2 else 3
        layers += [nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=False), nn.InstanceNorm2d(outputs)]
        layers += [nn.LeakyReLU(0.2)]
    net = nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 3, 1, 1), nn.Flatten(1))
    normal_init(net)
    return net


class Pool(nn.Module):
    """The last translations of each kind."""

    def __init__(self, spec: SampleSpec, recipe: Recipe) -> None:
        super().__init__()
        self.size: int = recipe["pool"]
        if 0 < self.size < recipe["batch_size"]:
            raise UsageError(f"pool={self.size} holds no whole batch of {recipe['batch_size']}: set pool to 0 or more")
        for kind in "AB":
            self.register_buffer(f"kept_{kind}", torch.zeros(self.size, *spec.shape))
            self.register_buffer(f"there_{kind}", torch.zeros(self.size))

    def mixed(self, kind: str, made: Tensor) -> Tensor:
        """The translations `(B, *spec.shape)`, some swapped for older ones; the pool changes after the turn."""
        if not self.size:
            return made
        kept, there = getattr(self, f"kept_{kind}"), getattr(self, f"there_{kind}")
        places = torch.rand(self.size, device=made.device).argsort()[: len(made)]
        old, full = kept.index_select(0, places), there.index_select(0, places) > 0
        swap = full & (torch.rand(len(made), device=made.device) < 0.5)
        wide = (-1, *(1,) * (made.ndim - 1))
        stored = torch.where((swap | ~full).view(wide), made, old)
        setattr(self, f"next_kept_{kind}", kept.index_copy(0, places, stored))
        setattr(self, f"next_there_{kind}", there.index_fill(0, places, 1.0))
        return torch.where(swap.view(wide), old, made)

    def after(self, turn: str) -> None:
        """Remember what the critics' turn has left."""
        for kind in "AB" if turn == "D" and self.size else "":
            for name in (f"kept_{kind}", f"there_{kind}"):
                getattr(self, name).copy_(getattr(self, f"next_{name}"))


def build(spec: SampleSpec, recipe: Recipe) -> Game:
    """Two translators and two critics."""
    cycle, identity, pool = recipe["cycle"], recipe["identity"], Pool(spec, recipe)

    def translate(nets: Any, reals: Any) -> dict[str, Tensor]:
        terms = {}
        for s, d in WAYS:
            there = nets[f"G_{s}{d}"].make(reals[s])
            back = nets[f"G_{d}{s}"].make(there)
            terms[f"fool-{d}"] = (nets[f"D_{d}"](there) - 1).square()
            terms[f"cycle-{s}"] = cycle * (back.x - reals[s].x).abs()
            if identity:
                terms[f"identity-{d}"] = identity * (nets[f"G_{s}{d}"].make(reals[d]).x - reals[d].x).abs()
        return terms

    def judge(nets: Any, reals: Any) -> dict[str, Tensor]:
        terms = {}
        for s, d in WAYS:
            made = nets[f"G_{s}{d}"].make(reals[s])
            shown = made.but(x=pool.mixed(d, made.x))
            terms[f"real-{d}"] = 0.5 * (nets[f"D_{d}"](reals[d]) - 1).square()
            terms[f"fake-{d}"] = 0.5 * nets[f"D_{d}"](shown).square()
        return terms

    def cycle_error(nets: Any, reals: Any) -> Tensor:
        back = nets["G_BA"].make(nets["G_AB"].make(reals["A"]))
        return (back.x - reals["A"].x).abs().mean()

    players = {f"G_{s}{d}": lambda: translator(spec, recipe) for s, d in WAYS}
    players |= {f"D_{kind}": lambda: critic(spec, recipe) for kind in "AB"}
    return Game(
        players,
        (Turn("G", ("G_AB", "G_BA"), translate), Turn("D", ("D_A", "D_B"), judge, draws=False)),
        lambda nets, reals: nets["G_BA"].make(reals["B"]),
        components={"pool": pool},
        streams=("A", "B"),
        averaged=("G_AB", "G_BA"),
        probes={"cycle": cycle_error},
    )


@hookimpl
def ganbench_games() -> Iterator[GameBuilder]:
    """The cyclegan."""
    yield GameBuilder(
        "cyclegan",
        build,
        recipe=Recipe(width=64, blocks=6, cycle=10.0, identity=0.0, pool=50, batch_size=1, lr=2e-4, betas=(0.5, 0.999)),
        paper="arXiv:1703.10593",
    )
