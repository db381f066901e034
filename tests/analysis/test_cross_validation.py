"""The analysis of repeated cross-validation: hand arithmetic, a slow twin in loops, a simulation.

Oracle: the formulas of docs/statistics.md written out in plain Python; small networks whose truth
is known.
Cost: 10 s. Run: pytest tests/analysis/test_cross_validation.py
"""

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from bakeoff.analysis.cross_validation import fold_variances
from bakeoff.analysis.estimates import estimate, estimate_balanced, estimate_loss
from bakeoff.analysis.statistics import compare_all, compare_pair, half_width, tost_p
from bakeoff.analysis.variance import decompose
from bakeoff.analysis.verdicts import basis, verdicts
from benchmarks import cross_validation as bench

# two repeats of two folds, four images
SCORES = np.array([[1, 1, 0, 1], [1, 0, 0, 0]])
FOLDS = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])


def test_by_hand():
    # p = 1, .5, 0, .5; e = 0, .5, 0, .5 and 0, −.5, 0, −.5
    # fold means: (0 + .5)/2, (0 + .5)/2; (0 + 0)/2, (−.5 − .5)/2: squares 1/16, 1/16, 0, 1/4
    found = fold_variances(SCORES.astype(float), FOLDS)
    assert found.n_folds == 2
    assert found.between == pytest.approx((3 / 8) / (1 * 2) / 2)  # B/K
    assert found.noise == pytest.approx(4 * 0.25 / (1 * 4))  # M
    parts = decompose(SCORES, FOLDS)
    assert (parts.between_seeds, parts.residual, parts.n_folds) == (
        found.between,
        found.noise,
        2,
    )


def slowly(a, b, folds):
    """D, V and df of a pair as docs/statistics.md states them, one term after the other."""
    repeats, n = folds.shape
    k = len(set(folds.ravel().tolist()))
    d = [sum(a[r][i] - b[r][i] for r in range(repeats)) / repeats for i in range(n)]
    mean = sum(d) / n
    v1 = sum((each - mean) ** 2 for each in d) / (n - 1) / n
    v2 = v3 = below = 0.0
    for c in (a, b):
        p = [sum(c[r][i] for r in range(repeats)) / repeats for i in range(n)]
        squares, noise = 0.0, 0.0
        for r in range(repeats):
            for fold in range(k):
                inside = [i for i in range(n) if folds[r][i] == fold]
                squares += (sum(c[r][i] - p[i] for i in inside) / len(inside)) ** 2
            noise += sum((c[r][i] - p[i]) ** 2 for i in range(n))
        b_ = squares / ((repeats - 1) * k)
        m = noise / ((repeats - 1) * n)
        v2 += b_ / (repeats * k)
        v3 += m / (repeats * n)
        below += (b_ / (repeats * k)) ** 2 / ((repeats - 1) * k)
    v = v1 + max(0.0, v2 - v3)
    df = max(repeats - 1, v**2 / (v1**2 / (n - 1) + below))
    return mean, v, df


def random_study(rng, repeats=4, n=53, k=5, spread=0.2):
    folds = np.stack([rng.permutation(n) % k for _ in range(repeats)])
    level = rng.uniform(0.3, 0.95, n)

    def model():
        luck = rng.normal(0, spread, (repeats, k))
        chance = np.take_along_axis(luck, folds, axis=1) + level
        return (rng.uniform(size=(repeats, n)) < chance).astype(float)

    return model(), model(), folds


@pytest.mark.parametrize("spread", [0.0, 0.2, 0.6])
def test_a_pair_against_the_slow_twin(rng, spread):
    for _ in range(10):
        a, b, folds = random_study(rng, spread=spread)
        pair = compare_pair(decompose(a, folds), decompose(b, folds))
        difference, variance, df = slowly(a, b, folds)
        assert pair.difference == pytest.approx(difference, abs=1e-12)
        assert pair.variance == pytest.approx(variance)
        assert pair.df == pytest.approx(df)
        half = stats.t.ppf(0.975, df) * sqrt(variance)
        assert pair.high - pair.difference == pytest.approx(half)
        assert pair.p == pytest.approx(2 * stats.t.sf(abs(difference) / sqrt(variance), df))
        back = compare_pair(decompose(b, folds), decompose(a, folds))
        assert back.flipped().low == pytest.approx(pair.low)


def test_no_model_of_many_is_taken_for_less_steady_than_its_folds_say(rng):
    a, b, folds = random_study(rng, spread=0.6)
    steady = np.tile(a[0], (4, 1))
    parts = {name: decompose(each, folds) for name, each in zip("abs", (a, b, steady), strict=True)}
    for (one, other), pair in compare_all(parts).items():
        assert pair == compare_pair(parts[one], parts[other])


def test_one_model_against_the_slow_twin(rng):
    """Against a model that never answers right, a pair's V2, V3 and df are those of one model."""
    a, _, folds = random_study(rng)
    found = estimate(a, folds=folds)
    n = a.shape[1]
    p = a.mean(axis=0)
    m = (p.sum() + 1) / (n + 2)
    v1 = (((p - m) ** 2).sum() + m**2 + (1 - m) ** 2) / ((n + 1) * (n + 2))
    parts = fold_variances(a, folds)
    v2, v3 = parts.between / 4, parts.noise / (4 * n)
    variance = v1 + max(0, v2 - v3)
    df = max(3, variance**2 / (v1**2 / (n + 1) + v2**2 / (3 * 5)))
    assert found.df == pytest.approx(df)
    assert found.high - found.low == pytest.approx(2 * stats.t.ppf(0.975, df) * sqrt(variance))
    assert found.mean == pytest.approx(a.mean())
    assert (found.n_images, found.n_seeds) == (n, 4)


def test_noise_alone_is_not_counted_twice(rng):
    """Where networks of a fold do not differ, B/K and M/N agree on average, so V is V1."""
    between, noise = [], []
    for _ in range(300):
        a, _, folds = random_study(rng, spread=0.0)
        found = fold_variances(a, folds)
        between.append(found.between)
        noise.append(found.noise / a.shape[1])
    assert np.mean(between) == pytest.approx(np.mean(noise), rel=0.05)


def test_balanced_accuracy_is_accuracy_where_classes_are_equal(rng):
    a, _, folds = random_study(rng, n=60)
    labels = np.arange(60) % 4
    balanced = estimate_balanced(a, labels, folds=folds)
    plain = estimate(a, folds=folds)
    assert balanced.mean == pytest.approx(plain.mean)
    assert balanced.seed_variance == pytest.approx(plain.seed_variance)


def test_balanced_accuracy_weighs_an_image_by_its_class(rng):
    """Its share in the mean, n/(K·n_k): 60/100 in the class of 50 images, 60/20 in that of 10."""
    a, _, folds = random_study(rng, n=60, spread=0.6)
    labels = np.arange(60) // 50
    unequal = estimate_balanced(a, labels, folds=folds)
    assert unequal.mean == pytest.approx((a[:, :50].mean() + a[:, 50:].mean()) / 2)
    shares = fold_variances(a * np.where(labels == 0, 60 / 100, 60 / 20), folds)
    assert unequal.seed_variance == pytest.approx(shares.between / 4 - shares.noise / (60 * 4))


def test_a_loss_has_an_interval_too(rng):
    _, _, folds = random_study(rng)
    losses = rng.exponential(1.0, folds.shape)
    found = estimate_loss(losses, folds=folds)
    assert 0 < found.low < losses.mean() < found.high
    assert found != estimate_loss(losses)
    assert estimate_loss(losses[:1], folds=folds[:1]).method == "images"


def test_verdicts_speak_of_repeats_and_need_three(rng):
    a, b, folds = random_study(rng)
    pair = compare_pair(decompose(a, folds), decompose(b, folds))
    assert basis(pair) == "4 repeats of 5 folds, 53 images"
    told = verdicts({("a", "b"): pair}, margin=0.002)[0]
    assert told.verdict is not None
    assert "seeds" not in told.sentence and "test images" not in told.sentence
    two = compare_pair(decompose(a[:2], folds[:2]), decompose(b[:2], folds[:2]))
    assert verdicts({("a", "b"): two}, margin=0.002)[0].verdict is None
    assert half_width(pair, tail=0.05) > 0
    assert tost_p(pair, 0.9) < 0.05 < tost_p(pair, 0.001)


def test_what_does_not_belong_together_is_refused(rng):
    a, b, folds = random_study(rng)
    with pytest.raises(ValueError, match=r"expected folds of shape \(4, 53\), got \(3, 53\)"):
        decompose(a, folds[:3])
    with pytest.raises(ValueError, match="expected equal folds, got 5 and 1"):
        compare_pair(decompose(a, folds), decompose(b))


def test_intervals_are_narrower_than_one_splits_and_hold_the_truth(monkeypatch):
    """A short run of benchmarks/cross_validation.py; its long one stands in docs/statistics.md."""
    monkeypatch.setattr(bench, "TRUTH", 180)  # its error is a thirtieth of an interval
    found = bench.measure(*bench.features("digits"), images=200, studies=12)
    half = {
        name: float(np.mean([each.half for each in intervals])) for name, intervals in found.items()
    }
    held = {name: sum(each.holds for each in intervals) for name, intervals in found.items()}
    assert half["one split, accuracy"] / half["5 × 5 folds, accuracy"] > 1.6
    assert half["one split, equal pair"] / half["5 × 5 folds, equal pair"] > 1.8
    assert held["5 × 5 folds, accuracy"] >= 9  # of 12; below it once in 3,000 at 95 %
    assert held["5 × 5 folds, equal pair"] >= 9
    assert held["5 × 5 folds, unequal pair"] >= 9
