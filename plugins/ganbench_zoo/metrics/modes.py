"""Modes found, high-quality share and divergence over modes, exact from the mixture's geometry.  Lin et al. 2018
(PacGAN), arXiv:1712.04086, section 4.1; Srivastava et al. 2017 (VEEGAN), arXiv:1705.07761.

A sample is of high quality when it lies strictly within 3 σ of the nearest mode; a mode is found when one such sample
is there. With q̂ the shares of the samples by nearest mode and K modes,

    reverse-kl = KL(q̂ ‖ 1/K)                          over all samples, as the papers have it
    mode-kl    = KL(q̂' ‖ p')                          over K + 1 cells: high quality at each mode, and elsewhere

where p' is the mixture's own: (1 - e^(-9/2)) / K each, e^(-9/2) elsewhere. reverse-kl cannot see noise that falls
evenly around the modes, mode-kl can: everything elsewhere gives 4.5, one mode alone log K. Neither sees the shape of a
mode within 3 σ. Both are in nats, and a finite sample has a little of them: about (cells - 1) / 2N.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ganbench import Column, Measured, Metric, Recipe, UsageError, hookimpl
from ganbench_zoo.layers.mixtures import MIXTURES
from ganbench_zoo.layers.sampling import BINOMIAL, FIRST_ORDER, of_divergence, of_share


def modes(
    real: Mapping[str, Tensor], fake: Mapping[str, Tensor], params: Mapping[str, Any], device: str
) -> dict[str, float]:
    """From generated points `(N, 2)` alone; the real ones are known by their formula."""
    if params["mixture"] not in MIXTURES:
        raise UsageError(f"modes: no mixture {params['mixture']!r}; there are: {', '.join(MIXTURES)}")
    points = fake["samples"].double()
    if points.ndim != 2 or points.shape[1] != 2:
        raise UsageError(f"takes points in the plane, not samples of shape {tuple(points.shape[1:])}")
    mixture = MIXTURES[params["mixture"]]
    count, inside = len(mixture.centers), mixture.inside(params["sigmas"])
    nearest = torch.cdist(points, torch.tensor(mixture.centers, dtype=torch.float64)).min(1)
    good = nearest.values < params["sigmas"] * mixture.sigma
    found = torch.bincount(nearest.indices[good], minlength=count)
    everywhere = torch.bincount(nearest.indices, minlength=count)
    cells = torch.cat([found, (~good).sum()[None]])
    own = torch.full((count + 1,), inside / count, dtype=torch.float64)
    own[-1] = 1.0 - inside
    equal, share = torch.full((count,), 1.0 / count, dtype=torch.float64), float(good.double().mean())
    return {
        "modes": float((found > 0).sum()),
        "high-quality": Measured(share, of_share(share, len(points)), BINOMIAL),
        "reverse-kl": Measured(divergence(everywhere, equal), of_divergence(everywhere, equal), FIRST_ORDER),
        "mode-kl": Measured(divergence(cells, own), of_divergence(cells, own), FIRST_ORDER),
    }


def divergence(counts: Tensor, expected: Tensor) -> float:
    """KL divergence in nats of observed shares, from counts `(K,)`, from expected ones `(K,)`."""
    shares = counts.double() / counts.sum()
    return max(0.0, float(torch.special.xlogy(shares, shares / expected).sum()))


@hookimpl
def ganbench_metrics() -> Iterator[Metric]:
    yield Metric(
        "modes",
        ("samples",),
        modes,
        (
            Column("mode-kl", "lower", "nats"),
            Column("modes", "higher", "modes", positive=False),
            Column("high-quality", "higher", "share of the samples", positive=False),
            Column("reverse-kl", "lower", "nats"),
        ),
        params=Recipe(mixture="ring", sigmas=3.0, samples=2500),
        paper="arXiv:1712.04086",
    )
