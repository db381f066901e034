"""Intervals of one model's scores against hand arithmetic, statsmodels and scipy.stats.

Cost: 4 s. Run: .venv/bin/pytest tests/analysis/test_estimates.py
"""

from math import exp, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from bakeoff.analysis.estimates import (
    LARGEST_LOSS,
    estimate,
    estimate_balanced,
    estimate_loss,
    estimate_macro_f1,
    failure_rate,
    wilson,
)

# Two seeds on four images: p = (1, ½, ½, ½), a = (1, ¼).
A = [[1, 1, 1, 1], [1, 0, 0, 0]]


def error_of(found) -> float:
    """The standard error in an Estimate."""
    return sqrt(found.image_variance + (found.seed_variance or 0) + (found.noise_variance or 0))


def in_numpy(scores):
    """V1, V2 and V3 of docs/statistics.md."""
    (seeds, n), p, a = scores.shape, scores.mean(axis=0), scores.mean(axis=1)
    left = scores - p - a[:, None] + scores.mean()
    residual = (left**2).sum() / ((seeds - 1) * (n - 1))
    return p.var(ddof=1) / n, a.var(ddof=1) / seeds, residual / (n * seeds)


# --- one model ---


def test_one_model_by_hand():
    # Two images are added: N = 6, m = 7/12, V1 = (28 + 49 + 25)/144/30 = 17/720.
    # Var_s(a)/S = 9/64; MSres = 1/8, over n·S 1/64; V = 17/720 + 8/64.
    found = estimate(A)
    assert (found.mean, found.method) == (0.625, "two-way")
    assert error_of(found) == pytest.approx(sqrt(17 / 720 + 8 / 64))
    assert found.image_variance == pytest.approx(17 / 720 - 1 / 64)
    assert found.noise_variance == pytest.approx(1 / 64)
    assert found.seed_variance == pytest.approx(8 / 64)
    below = (17 / 720) ** 2 / 5 + (9 / 64) ** 2
    assert found.df == pytest.approx((17 / 720 + 8 / 64) ** 2 / below)
    assert (found.low, found.high) == (0, 1)  # 7/12 ± 12.7·0.385, clipped


def test_one_model_against_scipy_s_t_on_the_images_and_two_more():
    rng = np.random.default_rng(1)
    scores = rng.random((6, 300)) < rng.beta(9, 1, size=300)
    found = estimate(scores)
    images = np.append(scores.mean(axis=0), [0, 1])
    v1, v2 = images.var(ddof=1) / 302, scores.mean(axis=1).var(ddof=1) / 6
    assert found.df == pytest.approx(error_of(found) ** 4 / (v1**2 / 301 + v2**2 / 5))
    expected = stats.t.interval(0.95, found.df, images.mean(), error_of(found))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.mean == scores.mean()


@pytest.fixture(scope="module")
def proportion_confint():
    """Import statsmodels here, where it is asked: it takes seconds."""
    from statsmodels.stats.proportion import proportion_confint

    return proportion_confint


def test_one_seed_gets_wilson_s_interval(proportion_confint):
    found = estimate([[1] * 350 + [0] * 10])
    assert (found.method, found.df, found.seed_variance) == ("wilson", None, None)
    assert (found.low, found.high) == pytest.approx(proportion_confint(350, 360, method="wilson"))


def test_all_right_and_all_wrong_leave_what_n_images_may_hide():
    found = estimate(np.ones((5, 360)))
    assert (found.mean, found.high, found.method) == (1, 1, "two-way")
    assert 1 - found.low == pytest.approx(3 / 360, rel=0.02)
    wrong = estimate(np.zeros((5, 360)))
    assert (wrong.mean, wrong.low) == (0, 0)
    assert wrong.high == pytest.approx(1 - found.low)


def test_the_same_answers_from_every_seed():
    repeated = estimate([[1, 1, 1, 0]] * 3)  # seeds agree: only the images vary
    assert (repeated.method, repeated.seed_variance, repeated.noise_variance) == ("two-way", 0, 0)
    assert repeated.df == pytest.approx(5)


def test_a_class_with_a_single_image():
    found = estimate([[1], [0], [1]])
    assert (found.mean, found.method) == (pytest.approx(2 / 3), "wilson")
    assert (found.low, found.high) == pytest.approx(wilson(2 / 3, 1))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4).flatmap(lambda s: arrays(bool, (s, 5))))
def test_the_mean_lies_in_its_interval(scores):
    found = estimate(scores)
    assert 0 <= found.low <= found.mean <= found.high <= 1


def test_a_failed_run_widens_the_interval():
    rng = np.random.default_rng(3)
    good = rng.random((5, 360)) < 0.97
    dead = np.zeros((1, 360), dtype=bool)
    dead[0, ::10] = True
    found = estimate(np.vstack([good[:4], dead]))
    assert found.high - found.low > 5 * (estimate(good).high - estimate(good).low)
    assert found.df == pytest.approx(4, abs=0.1)


# --- balanced accuracy, loss, macro F1 ---


def test_balanced_accuracy_by_hand():
    # Two images of weight ½ are added to each class: N = 3. Class 0: p = (1, ½), m = 2/3,
    # V1 = (1/9 + 1/36 + ½·5/9)/2/3; class 1: p = (½, ½), m = ½, V1 = ½·½/2/3.
    # Seeds' balanced accuracies 1 and ¼: Var_s/S = 9/64. MSres of class 0 is 1/4 and of class 1
    # zero: V3 = (1/4)/2/2/4.
    found = estimate_balanced(np.array(A), np.array([0, 0, 1, 1]))
    assert found.mean == 0.625
    first, second = 15 / 36 / 6 / 4, 1 / 4 / 6 / 4
    assert error_of(found) ** 2 == pytest.approx(first + second + 9 / 64 - 1 / 64)
    below = first**2 / 2 + second**2 / 2 + (9 / 64) ** 2
    assert found.df == pytest.approx(max(1, error_of(found) ** 4 / below))


def test_balanced_accuracy_of_one_class_is_the_accuracy():
    scores = np.random.default_rng(0).random((3, 50)) < 0.9
    assert estimate_balanced(scores, np.zeros(50, dtype=int)) == estimate(scores)


def test_balanced_accuracy_of_a_perfect_model_knows_how_small_its_classes_are():
    labels = np.array([0] * 30 + [1] * 10)
    found = estimate_balanced(np.ones((3, 40)), labels)
    assert found.mean == found.high == 1
    assert 0.80 < found.low < estimate(np.ones((3, 40))).low < 1


def test_loss_is_uncertain_on_a_logarithmic_scale():
    found = estimate_loss([[0.1, 0.2, 1.8, 0.4]])
    # A mistake costs less than 1.8, so 1.8 counts once more: the mean is 0.86 and V1 2.992/4/5.
    half = stats.t.isf(0.025, 4) * sqrt(2.992 / 4 / 5)
    assert (found.method, found.df, found.mean) == ("images", pytest.approx(4), 0.625)
    assert found.low == pytest.approx(0.625 * exp(-half / 0.625))
    assert found.high == pytest.approx(0.86 * exp(half / 0.86))


def test_loss_without_a_mistake_knows_what_one_would_cost():
    # Sure to 3/4, 3/4 and 1/2: mistakes would cost log 4, log 4 and log 2, and their chances are
    # 1/4, 1/4 and 1/2, so that one costs 3/2·log 2 on average.
    found = estimate_loss(np.log([[4 / 3, 4 / 3, 2]]))
    images = np.log([4 / 3, 4 / 3, 2, 2**1.5])
    half = stats.t.isf(0.025, 3) * sqrt(images.var(ddof=1) / 4)
    assert found.mean == pytest.approx(images[:3].mean())
    assert found.high == pytest.approx(images.mean() * exp(half / images.mean()))
    images[3] = np.log(2)
    half = stats.t.isf(0.025, 3) * sqrt(images.var(ddof=1) / 4)
    assert found.low == pytest.approx(found.mean * exp(-half / found.mean))


def test_loss_of_three_seeds_in_numpy():
    losses = np.random.default_rng(2).exponential([[0.5], [1.0], [1.5]], size=(3, 40))
    images = losses.mean(axis=0)
    images = np.append(images, images.max())
    _, v2, v3 = in_numpy(losses)
    v1 = images.var(ddof=1) / 41
    variance = v1 + v2 - v3
    found = estimate_loss(losses)
    assert error_of(found) ** 2 == pytest.approx(variance)
    assert found.df == pytest.approx(variance**2 / (v1**2 / 40 + v2**2 / 2))
    half = stats.t.isf(0.025, found.df) * sqrt(variance)
    assert found.low == pytest.approx(losses.mean() * exp(-half / losses.mean()))


def test_loss_that_never_varies_and_loss_that_varies_with_everything():
    found = estimate_loss([[0.25, 0.25], [0.25, 0.25]])
    assert (found.mean, found.low, found.high, found.method) == (0.25, 0.25, 0.25, "degenerate")
    found = estimate_loss(np.full((2, 50), [[0.02], [16.118]]))
    assert 0 <= found.low < found.mean < found.high == pytest.approx(LARGEST_LOSS)


def test_macro_f1_has_no_interval_where_a_class_is_tiny():
    scores = np.random.default_rng(0).normal(0.9, 0.1, size=(3, 100))
    known, unknown = estimate_macro_f1(scores, 10), estimate_macro_f1(scores, 9)
    assert known.has_interval and known.high <= 1
    assert not unknown.has_interval and unknown.method == "none"
    assert known.mean == unknown.mean


def test_macro_f1_has_no_interval_of_no_width_where_no_image_is_wrong():
    found = estimate_macro_f1(np.ones((3, 300)), 100)
    assert (found.mean, found.has_interval, found.method) == (1.0, False, "none")


def test_macro_f1_s_interval_is_scipy_s_t():
    scores = np.random.default_rng(0).normal(0.8, 0.3, size=(3, 100))
    scores += [[-0.1], [0.0], [0.1]]
    found = estimate_macro_f1(scores, 10)
    v1, v2, v3 = in_numpy(scores)
    assert error_of(found) ** 2 == pytest.approx(v1 + v2 - v3)
    assert found.df == pytest.approx((v1 + v2 - v3) ** 2 / (v1**2 / 99 + v2**2 / 2))
    expected = stats.t.interval(0.95, found.df, scores.mean(), error_of(found))
    assert (found.low, found.high) == pytest.approx(expected)


# --- shares, failures, one more run ---


@pytest.mark.parametrize(("sound", "limit"), [(3, 63), (5, 45), (10, 26)])
def test_failures_that_did_not_occur(sound, limit):
    low, high = failure_rate(0, sound)
    assert (low, round(100 * high)) == (0, limit)
    assert high == pytest.approx(1 - 0.05 ** (1 / sound))


def test_failure_rate_is_clopper_and_pearson_s(proportion_confint):
    assert failure_rate(1, 5) == pytest.approx(proportion_confint(1, 5, method="beta"))
    assert failure_rate(5, 5) == pytest.approx((0.05 ** (1 / 5), 1))
    with pytest.raises(ValueError, match=r"^expected 0 to n failures of n ≥ 1 runs, got 3 of 2$"):
        failure_rate(3, 2)


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 10_000), share=st.floats(0, 1))
def test_wilson_against_statsmodels(n, share, proportion_confint):
    successes = share * n
    expected = proportion_confint(successes, n, alpha=0.05, method="wilson")
    assert wilson(successes, n) == pytest.approx(expected, abs=1e-12)


def test_wilson_refuses_what_is_no_share():
    with pytest.raises(ValueError, match=r"^expected 0 to n successes of n ≥ 1, got 3 of 2$"):
        wilson(3, 2)
