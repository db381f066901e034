"""Tests of pairs against hand arithmetic, statsmodels and scipy.stats; properties by hypothesis.

Cost: 8 s; statsmodels is imported by the tests that ask it, not by all that are collected.
Run: .venv/bin/pytest tests/analysis/test_statistics.py
"""

import doctest
import gc
import re
from itertools import combinations
from math import sqrt
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from bakeoff.analysis.statistics import (
    PairTest,
    compare_all,
    compare_pair,
    differ_by_less_than,
    expected,
    half_width,
    holm,
    mcnemar_exact,
    one_sided_lower_bound,
    probability_a_better,
    tost_p,
)
from bakeoff.analysis.variance import decompose

# Two seeds on four images. A: p = (1, ½, ½, ½), a = (1, ¼). B: p = (1, 0, 1, 0), a = (½, ½).
A = [[1, 1, 1, 1], [1, 0, 0, 0]]
B = [[1, 0, 1, 0], [1, 0, 1, 0]]


@st.composite
def two_models(draw):
    n_images = draw(st.integers(2, 12))
    shapes = [(draw(st.integers(2, 4)), n_images) for _ in range(2)]
    return [draw(arrays(bool, shape)) for shape in shapes]


# --- a pair ---


def test_a_pair_by_hand_with_a_seed_effect():
    # d = (0, ½, −½, ½). V1 = 11/192, V2 = 27/192, V3 = 3/192, V = 35/192.
    pair = compare_pair(A, B)
    assert pair.difference == 0.125
    assert (pair.v1, pair.v2, pair.v3) == pytest.approx((11 / 192, 27 / 192, 3 / 192))
    assert pair.variance == pytest.approx(35 / 192)
    assert pair.t == pytest.approx(0.125 / sqrt(35 / 192))
    assert pair.df == pytest.approx(35**2 / (11**2 / 3 + 27**2))
    assert pair.sources == pytest.approx((8 / 192, 24 / 192, 3 / 192))
    assert pair.p == pytest.approx(2 * stats.t.sf(pair.t, pair.df))
    assert (pair.low, pair.high) == (-1, 1)  # ± 5.6·0.43, clipped


def test_a_pair_by_hand_without_a_seed_effect():
    # d = (1, 0, −½). V1 = 7/36, V2 = 1/36, V3 = 1/9: V2 − V3 is negative, so V = V1.
    pair = compare_pair([[1, 1, 0], [1, 0, 0]], [[0, 1, 0], [0, 0, 1]])
    assert pair.difference == pytest.approx(1 / 6)
    assert (pair.v1, pair.v2, pair.v3) == pytest.approx((7 / 36, 1 / 36, 1 / 9))
    assert pair.variance == pytest.approx(7 / 36)
    assert pair.t == pytest.approx(1 / sqrt(7))
    assert pair.df == pytest.approx(49 / 25.5)
    assert pair.p == pytest.approx(2 * stats.t.sf(1 / sqrt(7), 49 / 25.5))


def test_interval_of_a_pair_against_scipy_s_t():
    rng = np.random.default_rng(4)
    a, b = rng.random((4, 360)) < 0.97, rng.random((7, 360)) < 0.93
    pair = compare_pair(a, b)
    assert (pair.seeds_a, pair.seeds_b, pair.n_images) == (4, 7, 360)
    assert (pair.low, pair.high) == pytest.approx(
        stats.t.interval(0.95, pair.df, pair.difference, sqrt(pair.variance))
    )
    assert pair.low > 0
    assert pair.p < 0.05


def test_at_the_level_of_a_look_the_interval_says_what_the_p_of_that_look_says():
    rng = np.random.default_rng(11)
    excluded = []
    for shift in np.linspace(0, 0.06, 40):
        a, b = rng.random((5, 400)) < 0.9 + shift, rng.random((5, 400)) < 0.9
        pair = compare_pair(a, b, level=1 - 0.05 / 3)
        excluded.append(not pair.low <= 0 <= pair.high)
        assert excluded[-1] == (3 * pair.p < 0.05)
        assert compare_pair(a, b).p == pair.p
    assert 5 < sum(excluded) < 35


def test_degrees_of_freedom_are_not_below_those_of_the_fewer_seeds():
    assert compare_pair(A, np.ones((9, 4))).df == 1  # 27²/(3²/3 + 27²/1) is 0.996


def test_degrees_of_freedom_are_not_above_five_times_those_of_the_fewer_seeds():
    rng = np.random.default_rng(4)
    images = rng.random(2000) < 0.9
    noise = rng.random((2, 3, 2000)) < 0.05
    a, b = images ^ noise[0], images ^ noise[1]
    pair = compare_pair(a, b)
    assert pair.v2 < 2 * pair.v3  # the seeds differ by noise alone: Satterthwaite's df are many
    assert pair.df == 10


@pytest.mark.parametrize("share", [0, 0.9, 1])
def test_identical_predictions(share):
    answers = np.zeros((4, 360), dtype=bool)
    answers[:, : int(360 * share)] = True
    pair = compare_pair(answers, answers)
    assert (pair.difference, pair.p) == (0, 1)
    assert (pair.df, pair.t, pair.variance) == (None, None, 0)
    # Were 1 % of all images told apart, 360 would show none in 1 of 37 studies.
    assert pair.high == -pair.low == pytest.approx(1 - 0.025 ** (1 / 360))


def test_equal_predictions_seed_by_seed_still_vary_with_the_seeds():
    pair = compare_pair(A, A)
    assert (pair.difference, pair.t, pair.p) == (0, 0, 1)
    assert pair.high > 0 > pair.low


@settings(max_examples=60, deadline=None)
@given(two_models())
def test_b_against_a_is_a_against_b_turned_round(models):
    a, b = models
    assert compare_pair(b, a) == compare_pair(a, b).flipped()
    assert compare_pair(a, b).flipped().flipped() == compare_pair(a, b)


@settings(max_examples=60, deadline=None)
@given(two_models(), st.randoms(use_true_random=False))
def test_the_order_of_images_and_seeds_is_nothing(models, random):
    a, b = models
    images = random.sample(range(a.shape[1]), a.shape[1])
    seeds = random.sample(range(len(a)), len(a))
    one, other = compare_pair(a, b), compare_pair(a[seeds][:, images], b[:, images])
    assert (one.difference, one.low, one.high, one.p) == pytest.approx(
        (other.difference, other.low, other.high, other.p)
    )


@settings(max_examples=100, deadline=None)
@given(two_models())
def test_nothing_is_ever_undefined(models):
    a, b = models
    pair = compare_pair(a, b)
    assert 0 <= pair.p <= 1
    assert -1 <= pair.low <= pair.difference <= pair.high <= 1
    assert 0 <= tost_p(pair, 0.1) <= 1
    assert pair.df is None or pair.df >= min(len(a), len(b)) - 1
    assert 0 < differ_by_less_than(pair) <= 1


def test_with_as_many_seeds_as_now_the_variance_is_that_of_now():
    pair = compare_pair(A, B)
    now = expected(pair, 2)
    assert (now.variance, now.df) == pytest.approx((pair.variance, pair.df))
    # V1 − V3 = 8/192 stays; of the rest, 6/192 noise and 54/192 between seeds shrink as 1/S.
    assert expected(pair, 6).variance == pytest.approx((8 + 27 * 2 / 6) / 192)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([[1, 0], [1, 1]], [[1, 0, 1]] * 2, "on the same images, at least 2; got 2 and 3"),
        (
            [[1, 0]],
            [[1, 0], [1, 1]],
            "at least 2 seeds of each model, got 1 and 2: mcnemar_exact compares single",
        ),
        ([[1, 0], [1, 2]], [[1, 0], [1, 1]], "scores between 0 and 1: compare_pair compares"),
        ([1, 0], [1, 1], "scores of shape (n_seeds, n_images), got (2,)"),
        ([[1, np.nan]] * 2, [[1, 1]] * 2, "finite scores: metrics.cross_entropy clips losses"),
    ],
)
def test_what_cannot_be_compared_is_named(a, b, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        compare_pair(a, b)


# --- p-values and intervals with a reference ---


@patch.object(gc, "collect")  # statsmodels collects garbage each time: 0.3 s after other tests
@settings(max_examples=50, deadline=None)
@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_against_statsmodels(_, p_values):
    from statsmodels.stats.multitest import multipletests

    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_holm_by_hand():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]).shape == (0,)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40).flatmap(lambda n: st.tuples(arrays(bool, n), arrays(bool, n))))
def test_mcnemar_against_statsmodels(files):
    from statsmodels.stats.contingency_tables import mcnemar

    a, b = files
    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    found = mcnemar_exact(a, b)
    assert (found.a_only, found.b_only) == (table[0][1], table[1][0])
    told_apart = found.a_only + found.b_only
    expected = mcnemar(table, exact=True).pvalue if told_apart else 1.0
    assert found.p == pytest.approx(expected)


def test_mcnemar_by_hand():
    a, b = np.array([1, 1, 1, 1, 1, 0, 1, 0]), np.array([0, 0, 0, 0, 0, 1, 1, 0])
    assert mcnemar_exact(a, b).p == pytest.approx(2 * (1 + 6) / 2**6)


def with_two_more(pair):
    """V1 with an image of d = +1 and one of d = −1 added, from images that have the pair's V1."""
    n, sd = pair.n_images, sqrt(pair.v1 * (pair.n_images - 1))
    d = pair.difference + sd * np.where(np.arange(n) % 2, 1, -1)
    return np.append(d, [1, -1]).var(ddof=1) / (n + 2)


def test_two_one_sided_tests_against_scipy():
    pair = PairTest(0.001, 0, 0, 10.0, 1.0, 0.3, 4e-7, (5e-8, 0), (0, 0), 10_000, 5, 5)
    variance = with_two_more(pair) + 1e-8
    assert variance == pytest.approx(4e-7 + 1e-8 + 2e-8, rel=0.01)
    lower = stats.t.sf((0.001 + 0.002) / sqrt(variance), 20)  # few seeds' share: df at its most
    upper = stats.t.cdf((0.001 - 0.002) / sqrt(variance), 20)
    assert tost_p(pair, 0.002) == pytest.approx(max(lower, upper))
    assert tost_p(pair.flipped(), 0.002) == pytest.approx(tost_p(pair, 0.002))
    assert tost_p(pair, 0.0005) > 0.5  # the difference seen is itself above such a margin
    half = stats.t.isf(0.05, 20) * sqrt(variance)
    assert half_width(pair, tail=0.05) == pytest.approx(half)
    assert one_sided_lower_bound(pair) == pytest.approx(0.001 - half)
    assert differ_by_less_than(pair) == differ_by_less_than(pair.flipped())
    assert differ_by_less_than(pair) == pytest.approx(0.001 + half)


def test_few_images_show_no_small_margin_however_alike_the_models():
    def twins(n):
        return compare_pair(np.ones((3, n)), np.ones((3, n)))

    # Were 1 image in 500 told apart, 360 images would all agree half the time: (1 − 0.002)³⁶⁰.
    assert tost_p(twins(360), 0.002) == pytest.approx(0.998**360)
    assert tost_p(twins(360), 0.002) > 0.05 > tost_p(twins(10_000), 0.002)
    assert one_sided_lower_bound(twins(360)) == pytest.approx(-(1 - 0.05 ** (1 / 360)))
    assert one_sided_lower_bound(twins(360)) == pytest.approx(-3 / 360, rel=0.01)


def test_disagreement_in_one_direction_is_not_taken_for_all_there_is():
    nearly = np.ones((5, 1000))
    nearly[:, :2] = 0  # every seed of A misses two images that every seed of B has right
    pair = compare_pair(nearly, np.ones((5, 1000)))
    assert pair.v1 == pytest.approx(2 / 1000**2, rel=0.01)
    assert half_width(pair, tail=0.05) == pytest.approx(stats.t.isf(0.05, 20) * 2 / 1000, rel=0.01)


def test_probability_that_a_is_better_by_hand():
    assert probability_a_better([0.9, 0.8], [0.8, 0.7, 0.85]) == pytest.approx(4.5 / 6)
    assert probability_a_better([0.5], [0.5]) == 0.5


@settings(max_examples=30, deadline=None)
@given(arrays(float, 4, elements=st.floats(0, 1)), arrays(float, 3, elements=st.floats(0, 1)))
def test_probability_that_a_is_better_is_that_of_mann_and_whitney(a, b):
    pairs = stats.mannwhitneyu(a, b).statistic / 12 if len({*a, *b}) > 1 else 0.5
    assert probability_a_better(a, b) == pytest.approx(pairs)
    assert probability_a_better(a, b) + probability_a_better(b, a) == pytest.approx(1)


def test_the_worked_example_of_the_docs():
    page = Path(__file__).parents[2] / "docs" / "statistics.md"
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted > 20


# --- all pairs of a study ---


def steady(seeds, n_images=1000, spread=0.0):
    """Scores whose images never vary between seeds, but whose seeds miss more or fewer of them."""
    scores = np.ones((seeds, n_images))
    for seed in range(seeds):
        scores[seed, : 20 + round(spread * seed)] = 0
    return scores


def test_a_model_that_looks_steady_is_not_taken_for_it():
    parts = {f"m{k}": decompose(steady(3, spread=s)) for k, s in enumerate((0, 8, 10, 30))}
    added = sorted(each.between_seeds - each.residual / 1000 for each in parts.values())
    tests = compare_all(parts)
    assert list(tests) == list(combinations(parts, 2))
    least = added[1] / 4  # a quarter of the lower median, as docs/statistics.md says
    assert tests["m0", "m3"].between_seeds[0] == pytest.approx(least)
    for a, b in (("m1", "m2"), ("m2", "m3")):
        assert tests[a, b] == compare_pair(parts[a], parts[b])


def test_one_unstable_model_widens_no_interval_of_others():
    parts = {f"m{k}": decompose(steady(3, spread=s)) for k, s in enumerate((8, 10, 300))}
    assert compare_all(parts)["m0", "m1"] == compare_pair(parts["m0"], parts["m1"])


def test_two_models_are_compared_by_their_own_seeds_alone():
    parts = {"a": decompose(steady(3)), "b": decompose(steady(3, spread=9))}
    assert compare_all(parts)["a", "b"] == compare_pair(parts["a"], parts["b"])
