"""What a handful of training seeds can say: intervals, comparisons, ranks. Pure functions of arrays.

A *cost* lies on the scale on which rows are compared (the log of a score that is positive, else the score itself).
Lower is better, and a failed seed costs +inf. The choices are the benchmark's protocol; the tests simulate them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]

_absurd = partial(np.errstate, over="ignore", invalid="ignore")
"""For scores near the largest of all numbers: what comes of them is inf or NaN, and says nothing."""
MIN_SEEDS = 3
"""Fewer seeds than this give no interval and no rank."""
MOST_SUMS = 2_000_000
"""Sizes times sums of ranks of which the exact permutation test keeps the number of ways: 16 MB."""
LEVEL = 0.05
"""Family-wise level of the pairs of one table; intervals cover 1 - LEVEL."""


@dataclass(frozen=True)
class Estimate:
    """A centre with the bounds of an interval; NaN where the seeds cannot say."""

    centre: float
    low: float = np.nan
    high: float = np.nan


def on_log(values: Sequence[float], positive: bool) -> bool:
    """Whether these scores are treated on the log: declared positive, and no value contradicts it."""
    return positive and all(value > 0 for value in values)


def estimate(values: Sequence[float], log: bool) -> Estimate:
    """Geometric (log) or arithmetic mean of the seeds' scores with a 95 % t interval for that same mean.

    Fewer than three seeds, or seeds that are all equal (their spread is unknown, not zero), give the mean alone.
    """
    return _t_interval(values, log, lambda n: 1 / n)


def prediction(values: Sequence[float], log: bool) -> Estimate:
    """The 95 % prediction interval: where the score of one more seed is expected."""
    return _t_interval(values, log, lambda n: 1 + 1 / n)


@_absurd()
def _t_interval(values: Sequence[float], log: bool, share: Callable[[int], float]) -> Estimate:
    if not len(values):
        return Estimate(np.nan)
    x = np.log(np.asarray(values, float)) if log else np.asarray(values, float)
    back = np.exp if log else float
    n, centre = len(x), x.mean()
    spread = x.std(ddof=1) if n > 1 else 0.0
    if n < MIN_SEEDS or _negligible(spread, centre):
        return Estimate(float(back(centre)))
    half = stdtrit(n - 1, 1 - LEVEL / 2) * spread * np.sqrt(share(n))
    return Estimate(float(back(centre)), float(back(centre - half)), float(back(centre + half)))


def _negligible(spread: float, centre: float) -> bool:
    """A spread that is rounding error and nothing else."""
    return bool(spread <= 1e-12 * max(1.0, abs(centre)))


@_absurd()
def median_cost(costs: Sequence[float]) -> float:
    """The median with failures as +inf; between a finite value and +inf it is +inf. NaN without costs."""
    if not len(costs):
        return np.nan
    ordered = np.sort(np.asarray(costs, float))
    return float(ordered[[(len(ordered) - 1) // 2, len(ordered) // 2]].mean())


def welch(a: Floats, b: Floats) -> float:
    """Two-sided p of Welch's t test; NaN where neither side has any spread. Welch 1947, Biometrika 34."""
    return _welch(_moments(a), _moments(b))


@_absurd()
def _moments(x: Floats) -> tuple[int, float, float]:
    """Size, mean, and the variance of that mean."""
    return len(x), float(x.mean()), float(x.var(ddof=1)) / len(x)


def _welch(a: tuple[int, float, float], b: tuple[int, float, float]) -> float:
    freedom, error = _welch_error(a, b)
    return float(2 * stdtr(freedom, -abs(a[1] - b[1]) / error)) if error else math.nan


def _welch_error(a: tuple[int, float, float], b: tuple[int, float, float]) -> tuple[float, float]:
    """Degrees of freedom and standard error of the difference of two means; an error of 0 where neither side has any
    spread."""
    (na, ma, va), (nb, mb, vb) = a, b
    if _negligible(math.sqrt(va), ma) and _negligible(math.sqrt(vb), mb):
        return math.nan, 0.0
    share = va / (va + vb)
    return 1 / (share**2 / (na - 1) + (1 - share) ** 2 / (nb - 1)), math.sqrt(va + vb)


@_absurd()
def difference(a: Sequence[float], b: Sequence[float], log: bool) -> Estimate:
    """The ratio of two rows' geometric means (log), or the difference of their means, of scores of unpaired seeds, with
    the 95 % interval of Welch's t for that pair alone. No interval below three seeds on either side, nor where no seed
    differs."""
    if not len(a) or not len(b):
        return Estimate(np.nan)
    x, y = (np.log(np.asarray(v, float)) if log else np.asarray(v, float) for v in (a, b))
    back = np.exp if log else float
    centre = x.mean() - y.mean()
    if min(len(x), len(y)) < MIN_SEEDS:
        return Estimate(float(back(centre)))
    freedom, error = _welch_error(_moments(x), _moments(y))
    if not error:
        return Estimate(float(back(centre)))
    half = stdtrit(freedom, 1 - LEVEL / 2) * error
    return Estimate(float(back(centre)), float(back(centre - half)), float(back(centre + half)))


def permutation(a: Floats, b: Floats) -> float:
    """Two-sided p of the permutation test of the rank sum, with mid-ranks for ties (+inf ties with +inf): exact up to
    some 80 seeds a row, from there by the normal limit with its corrections for ties and continuity."""
    ranks = _double_midranks([*a.tolist(), *b.tolist()])
    return _rank_sum_p(tuple(sorted(ranks)), len(a), sum(ranks[: len(a)]))


def is_exact(first: int, second: int) -> bool:
    """Whether `permutation` is exact for rows of so many seeds."""
    count = first + second
    return (first + 1) * (count * (count + 1) + 1) <= MOST_SUMS


def permutation_words(sizes: Sequence[tuple[int, int]]) -> str:
    """The permutation test of pairs of so many seeds, in words."""
    if all(is_exact(*pair) for pair in sizes):
        return "exact permutation of ranks"
    return "permutation of ranks (its normal limit above some 80 seeds a row)"


def _double_midranks(values: list[float]) -> list[int]:
    """Twice the mid-rank of each value, an integer."""
    last = {value: place for place, value in enumerate(sorted(values), 1)}
    first = {value: len(values) + 1 - place for place, value in enumerate(sorted(values, reverse=True), 1)}
    return [first[value] + last[value] for value in values]


@lru_cache(maxsize=65536)
def _rank_sum_p(ranks: tuple[int, ...], size: int, observed: int) -> float:
    n, off = len(ranks), abs(len(ranks) * observed - size * sum(ranks))
    if not is_exact(size, n - size):
        spread = math.sqrt(n * size * (n - size) / (n - 1) * sum((n * rank - sum(ranks)) ** 2 for rank in ranks)) / n
        return math.erfc(max(0.0, off - n) / spread / math.sqrt(2)) if spread else 1.0
    sums, shares = _rank_sums(ranks, size)
    return float(min(1.0, shares[np.abs(n * sums - size * sum(ranks)) >= off].sum()))


@lru_cache(maxsize=1024)
def _rank_sums(ranks: tuple[int, ...], size: int) -> tuple[NDArray[np.int64], Floats]:
    """Every sum that `size` of these ranks can have, and the share of the choices that give it."""
    ways = np.zeros((size + 1, sum(ranks) + 1))
    ways[0, 0] = 1.0
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : ways.shape[1] - rank].copy()
    sums = np.flatnonzero(ways[size])
    return sums, ways[size, sums] / ways[size].sum()


def holm(p: Floats) -> Floats:
    """Adjusted p values of one family, in the order given. Holm 1979, Scand. J. Statist. 6."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


@dataclass(frozen=True)
class Pair:
    """One pair of rows: p of the test that decides, p after Holm's correction, the rank test's p as a check beside."""

    first: int
    second: int
    test: str
    p: float
    adjusted: float
    check: float
    better: int | None
    """The row that is significantly better, if any."""


def compare(rows: Sequence[Floats]) -> list[Pair]:
    """Every pair of rows of costs `(seeds,)`, one Holm family: Welch's t, or the permutation test if a seed failed."""
    moments = [_moments(row) if np.isfinite(row).all() else None for row in rows]
    at = [(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))]
    tests: list[tuple[str, float, float]] = []
    for i, j in at:
        check = permutation(rows[i], rows[j])
        first, second = moments[i], moments[j]
        p = _welch(first, second) if first and second else math.nan
        tests.append(("permutation", check, check) if math.isnan(p) else ("welch", p, check))
    adjusted = holm(np.array([p for _, p, _ in tests], float))
    return [
        Pair(i, j, test, p, float(q), check, _winner(rows, i, j, test) if q <= LEVEL else None)
        for (i, j), (test, p, check), q in zip(at, tests, adjusted, strict=True)
    ]


@_absurd()
def _winner(rows: Sequence[Floats], i: int, j: int, test: str) -> int:
    if test == "welch":
        return i if rows[i].mean() < rows[j].mean() else j
    ranks = _double_midranks([*rows[i].tolist(), *rows[j].tolist()])
    return i if np.mean(ranks[: len(rows[i])]) < np.mean(ranks[len(rows[i]) :]) else j


def rank_intervals(size: int, pairs: Sequence[Pair]) -> list[tuple[int, int]]:
    """For each of `size` rows: [1 + number significantly better, size - number significantly worse]."""
    wins = [sum(pair.better == row for pair in pairs) for row in range(size)]
    lost = [pair.first + pair.second - pair.better for pair in pairs if pair.better is not None]
    losses = [lost.count(row) for row in range(size)]
    return [(1 + losses[row], size - wins[row]) for row in range(size)]


@_absurd()
def pooled_spread(rows: Sequence[Floats]) -> float:
    """Standard deviation of a seed within its row, pooled over rows without failures; NaN where no row says."""
    whole = [row for row in rows if len(row) > 1 and np.isfinite(row).all()]
    freedom = sum(len(row) - 1 for row in whole)
    return float(np.sqrt(sum((len(row) - 1) * row.var(ddof=1) for row in whole) / freedom)) if freedom else np.nan


def detectable(spread: float, seeds: int, pairs: int, power: float = 0.8, draws: int = 20_000) -> float:
    """Smallest true difference of costs that one pair of a table shows with this power, by seeded simulation.

    Two rows of normal costs with `seeds` each are drawn; a draw finds a difference d where d exceeds the critical t (at
    the first step of Holm's correction over `pairs`) times its standard error, less its own deviation. The answer is
    the `power` quantile of those thresholds; on the log scale its exponential is a ratio.
    """
    x = np.random.default_rng(0).standard_normal((2, draws, seeds))
    parts = x.var(axis=2, ddof=1) / seeds
    freedom = parts.sum(axis=0) ** 2 / (parts**2 / (seeds - 1)).sum(axis=0)
    critical = stdtrit(freedom, 1 - LEVEL / (2 * max(pairs, 1)))
    means = x.mean(axis=2)
    return float(spread * np.quantile(critical * np.sqrt(parts.sum(axis=0)) - (means[0] - means[1]), power))
