"""What a sample may be, recipes that vary, and many components at once."""

from __future__ import annotations

import torch

from ganbench import Architecture, SampleSpec

from .base import POINTS, TOY, Discriminator, Generator, StandIn
from .between import AUGMENT, AVERAGED, CLIPPING, NOISE, ORTHOGONAL, PACKING, SPECTRAL, STATISTICS
from .labels import ACGAN, INFO, CodedGenerator, Projecting, architecture
from .lookahead import CLIMBING, SURROGATE, UNROLLED
from .memory import ADA, HISTORY, LECAM
from .terms import FEATURE_MATCHING, GRADIENT_PENALTY, R1, R2, RELATIVISTIC, TOP_K, WASSERSTEIN, WEIGHTS

SMALL = SampleSpec((3, 8, 8), classes=3)


class Tokens(Generator):
    """Sequences of tokens `(T, V)`: each a distribution over the vocabulary."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return (4 * super().forward(z)).softmax(-1)


SPECS = [
    StandIn("points", spec=POINTS),
    StandIn("unbounded-points", spec=POINTS.but(range=None)),
    StandIn("images", spec=SMALL.but(classes=0), dtype=torch.uint8),
    StandIn("audio", spec=SampleSpec((1, 64), modality="audio"), dtype=torch.int16),
    StandIn("video", spec=SampleSpec((1, 3, 8, 8), modality="video"), dtype=torch.uint8),
    StandIn(
        "tokens",
        architecture=Architecture("tokens", Tokens, Discriminator),
        spec=SampleSpec((5, 7), range=(0.0, 1.0), modality="sequence"),
    ),
    StandIn("pairs", spec=SampleSpec((2, 8, 8), modality="pair"), dtype=torch.uint8),
]

RECIPES = [
    StandIn("recipe-slow", settings={"lr": 1e-4}),
    StandIn("recipe-two-rates", settings={"lr_D": 0.02, "lr_G": 0.005, "prior": "uniform", "lr_decay": "linear"}),
    StandIn("recipe-rmsprop", settings={"optimizer": "rmsprop", "momentum": 0.5, "clip_grad_norm": 1.0}),
    StandIn("recipe-sgd", settings={"optimizer": "sgd", "momentum": 0.9, "weight_decay": 1e-3}),
]

COMBINATIONS = [
    StandIn(
        "many-on-labels",
        others=(R1, LECAM, TOP_K, AUGMENT, ORTHOGONAL),
        architecture=architecture(Projecting),
        spec=SMALL,
        dtype=torch.uint8,
        settings={**AVERAGED, "r1.every": 4, "d_steps": 2},
    ),
    StandIn(
        "many-packed",
        RELATIVISTIC,
        (AUGMENT, NOISE, PACKING, LECAM, R1, R2, TOP_K, HISTORY),
        spec=SMALL.but(classes=0),
        dtype=torch.uint8,
        settings={**AVERAGED, "r1.every": 4},
    ),
    StandIn(
        "many-accumulated",
        WASSERSTEIN,
        (GRADIENT_PENALTY, ADA, WEIGHTS, FEATURE_MATCHING),
        settings={**AVERAGED, "accumulate": 2, "d_steps": 3, "clip_grad_norm": 1.0},
    ),
    StandIn(
        "many-ahead",
        others=(INFO, CLIMBING, SURROGATE, SPECTRAL, STATISTICS, LECAM),
        architecture=Architecture("coded", CodedGenerator, Discriminator),
        settings=AVERAGED,
    ),
    StandIn("many-unrolled", others=(UNROLLED, ADA, R1, SPECTRAL, NOISE), architecture=TOY),
    StandIn("many-clipped", WASSERSTEIN, (CLIPPING, ACGAN, LECAM, NOISE), spec=POINTS.but(classes=3)),
]

CASES = [*SPECS, *RECIPES, *COMBINATIONS]
