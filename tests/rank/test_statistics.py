"""The protocol's statistics hold what they promise, by simulation."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from ganbench.rank import statistics

TABLES = 400


@pytest.mark.parametrize("kind", ["normal", "lognormal"])
@pytest.mark.parametrize("spread", [0.05, 0.3])
@pytest.mark.parametrize("n", [3, 5, 10])
def test_interval_covers_the_geometric_mean(n, spread, kind):
    rng = np.random.default_rng([n, int(100 * spread)])

    def draw(*shape):
        noise = rng.standard_normal(shape)
        return 100 * np.exp(spread * noise) if kind == "lognormal" else 100 * np.maximum(1 + spread * noise, 0.02)

    truth = np.exp(np.log(draw(400_000)).mean())
    found = [statistics.estimate(row, log=True) for row in draw(4000, n)]
    assert 0.93 <= np.mean([e.low <= truth <= e.high for e in found]) <= 0.97


def test_prediction_interval_covers_the_next_seed():
    draws = np.exp(0.2 * np.random.default_rng(0).standard_normal((4000, 6)))
    found = [statistics.prediction(row[:5], log=True) for row in draws]
    assert 0.93 <= np.mean([e.low <= row[5] <= e.high for e, row in zip(found, draws, strict=True)]) <= 0.97


@pytest.mark.parametrize("failing", [0.0, 0.25])
@pytest.mark.parametrize("unequal", [False, True])
@pytest.mark.parametrize("n", [3, 5])
def test_equal_rows_are_seldom_called_different(n, unequal, failing):
    rng = np.random.default_rng([n, unequal, int(100 * failing)])
    spreads = np.linspace(0.02, 0.3, 8) if unequal else np.full(8, 0.1)
    wrong = 0
    for _ in range(TABLES):
        costs = spreads[:, None] * rng.standard_normal((8, n))
        costs[rng.random(costs.shape) < failing] = np.inf
        rows = [row for row in costs if 2 * np.isinf(row).sum() <= n]
        wrong += any(pair.better is not None for pair in statistics.compare(rows))
    assert wrong / TABLES <= 0.05


@pytest.mark.parametrize("n", [3, 5])
def test_rank_intervals_contain_all_true_ranks(n):
    rng = np.random.default_rng(n)
    held = 0
    for _ in range(TABLES):
        centres = rng.permutation(8) * 0.15
        rows = list(centres[:, None] + 0.1 * rng.standard_normal((8, n)))
        truth = stats.rankdata(centres)
        intervals = statistics.rank_intervals(8, statistics.compare(rows))
        held += all(low <= rank <= high for (low, high), rank in zip(intervals, truth, strict=True))
    assert held / TABLES >= 0.95


def test_clear_differences_are_found_and_ranked():
    rows = [np.array([c, c + 0.01, c - 0.01, c + 0.02, c - 0.02]) for c in (0.0, 1.0, 2.0)]
    pairs = statistics.compare(rows)
    assert [pair.better for pair in pairs] == [0, 0, 1]
    assert statistics.rank_intervals(3, pairs) == [(1, 1), (2, 2), (3, 3)]


def test_welch_is_scipys():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(4), 2 * rng.standard_normal(7) + 1
    assert statistics.welch(a, b) == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-9)


def test_welch_does_not_depend_on_the_unit():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(4), 2 * rng.standard_normal(7) + 1
    for unit in (1e80, 1e150):
        assert statistics.welch(a * unit, b * unit) == pytest.approx(statistics.welch(a, b), rel=1e-9)


def test_permutation_is_exact_with_ties_and_failures():
    a, b = np.array([1.0, 2.0, np.inf]), np.array([3.0, np.inf, np.inf, 4.0])
    ranks = stats.rankdata(np.concatenate([a, b]))
    exact = stats.permutation_test(
        (ranks[:3], ranks[3:]), lambda x, y: abs(x.sum() - 3 * ranks.mean()), alternative="greater", n_resamples=np.inf
    )
    assert statistics.permutation(a, b) == pytest.approx(exact.pvalue)
    assert statistics.permutation(np.full(3, np.inf), np.full(3, np.inf)) == 1.0


def test_a_failed_seed_moves_its_pairs_to_the_permutation_test():
    rows = [np.array([0.0, 0.1, 0.2]), np.array([5.0, np.inf, 5.1]), np.array([9.0, 9.1, 9.2])]
    assert [pair.test for pair in statistics.compare(rows)] == ["permutation", "welch", "permutation"]


def test_holm():
    assert statistics.holm(np.array([0.04, 0.01, 0.03])) == pytest.approx([0.06, 0.03, 0.06])


def test_equal_values_claim_nothing():
    assert np.isnan(statistics.estimate([5.0] * 4, log=True).low)
    assert statistics.estimate([5.0] * 4, log=True).centre == pytest.approx(5)
    pair = statistics.compare([np.full(3, 1.0), np.full(3, 2.0)])[0]
    assert pair.test == "permutation" and pair.better is None


def test_fewer_than_three_seeds_have_no_interval():
    assert np.isnan(statistics.estimate([5.0, 6.0], log=True).low)


def test_scores_that_reach_zero_are_taken_raw():
    assert not statistics.on_log([0.0, 1.0], positive=True)
    assert not statistics.on_log([1.0], positive=False)
    values = [-0.1, 0.0, 0.4]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    found = statistics.estimate(values, log=False)
    assert (found.centre, found.low, found.high) == pytest.approx((0.1, low, high))


def test_median_counts_failures_as_the_worst():
    assert statistics.median_cost([1.0, np.inf, 2.0]) == 2.0
    assert statistics.median_cost([1.0, np.inf]) == np.inf
    assert np.isnan(statistics.median_cost([]))


@pytest.mark.parametrize(("seeds", "ratio"), [(10, 1.23), (5, 1.5), (3, 3.3)])
def test_detectable_ratio_is_the_protocols(seeds, ratio):
    assert np.exp(statistics.detectable(0.1, seeds, pairs=28)) == pytest.approx(ratio, rel=0.02)


def test_detectable_difference_is_detected_in_four_of_five_tables():
    rng = np.random.default_rng(0)
    shift = statistics.detectable(0.1, 5, pairs=1)
    draws = 0.1 * rng.standard_normal((1500, 2, 5))
    found = [statistics.compare([a, b + shift])[0].better == 0 for a, b in draws]
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)


def test_many_seeds_need_neither_memory_nor_exactness():
    """Beyond what the exact test keeps, the normal limit; both say the same where they meet."""
    rng = np.random.default_rng(5)
    for shift in (0.0, 0.2, 0.35):
        for seeds in (70, 90):
            a, b = rng.normal(size=seeds), rng.normal(size=seeds) + shift
            a[:3] = b[:5] = np.inf
            told = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=True).pvalue
            assert statistics.permutation(a, b) == pytest.approx(told, rel=0.1 if len(a) == 70 else 1e-9)
    tracemalloc.start()
    statistics.permutation(rng.normal(size=2000), rng.normal(size=2000))
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


@pytest.mark.parametrize("seeds", [3, 77, 78, 79, 80, 120])
def test_it_is_told_whether_the_permutation_test_is_exact(seeds):
    """What is kept for the exact test bears on how many seeds there are, whatever their ties."""
    a, b = np.arange(seeds, dtype=float), np.full(seeds, np.inf)
    a[1:] = np.inf
    limit = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=True).pvalue
    exact = 1.0  # one finite value among 2n: every choice of n ranks has a rank sum as far from the mean
    assert statistics.permutation(a, b) == pytest.approx(exact if statistics.is_exact(seeds, seeds) else limit)
    assert statistics.is_exact(seeds, seeds) == (seeds < 79)
    words = statistics.permutation_words([(3, 3), (seeds, seeds)])
    assert words.startswith("exact ") == (seeds < 79) and ("normal limit" in words) == (seeds >= 79)
