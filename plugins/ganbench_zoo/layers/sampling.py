"""Standard errors of a measurement over samples of one generator, from what each sample contributes.

A value that is (to first order) a constant plus the mean of a contribution of each sample has the standard error
sd / √N; the contributions are the value's influence function at the samples (Efron 1982, doi:10.1137/1.9781611970319).
"""

from __future__ import annotations

from torch import Tensor

FIRST_ORDER, BINOMIAL = "first order", "binomial"


def of_mean(contributions: Tensor) -> float | None:
    """From contributions `(N,)`, each but for a common constant; None for a single sample."""
    if len(contributions) < 2:
        return None
    return float(contributions.double().std() / len(contributions) ** 0.5)


def of_share(share: float, count: int) -> float:
    """Of a share of `count` samples that hold something, each for itself."""
    return float(max(share * (1 - share), 0.0) / count) ** 0.5


def of_divergence(counts: Tensor, expected: Tensor) -> float:
    """Of KL(q ‖ p), from counts `(K,)` and expected shares `(K,)` that are above 0 wherever there is a count.

    The first order is the variance of log q / p under q, less what chance gives it. Where q is p over the k cells that
    are reached it vanishes, and what is left is the variance of a chi-squared variable with k - 1 degrees of freedom,
    over 2N.
    """
    n, reached = counts.sum().double(), counts > 0
    q = counts[reached].double() / n
    ratio, freedom = (q / expected[reached]).log(), int(reached.sum()) - 1
    first = (q * ratio.square()).sum() - (q * ratio).sum().square() - freedom / n
    return float((first.clamp_min(0) / n + freedom / (2 * n.square())).sqrt())
