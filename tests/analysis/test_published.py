"""The test of a pair against its family: Obuchowski and Rockette's analysis, as MRMCaov prints it.

Oracle: what MRMCaov (Smith and Hillis; its MATLAB toolbox, README of version 0.2) prints for Van
Dyke's study: five readers rate 114 cases, 69 without and 45 with the disease, by two tests. The
analysis is written here a second time, from covariances of readers; it gives MRMCaov's numbers for
areas under ROC curves, and then has to give ours for shares of correct answers, which have no
printed example. The ratings are those of RJafroc's VanDyke.lrc. Every printed digit
agrees; with covariances by the jackknife, too, those that RJafroc (and Iowa's OR-DBM MRMC 2.51)
prints for these ratings. Readers are our seeds, but in that study the same five use both tests;
ours belong to one model each, so a pair is compared with the formulas, not with its printed pair.
Cost: under 1 s. Run: pytest tests/analysis/test_published.py
"""

import numpy as np
import pytest
from scipy.special import stdtrit

from bakeoff.analysis.statistics import compare_pair
from bakeoff.analysis.variance import decompose, degrees_of_freedom, excess

# Ratings 1 … 5 of each reader, two digits a case: by the first test and by the second.
WITHOUT = """
1323231252121212131211134112121212121211111131113412112311421211141312331122132112122233331131111333
33111113141112242211121411343422111111
2332222222222222233222225222222132222222212222224322222222322221222221222222222223212222232222222222
22222222232222433222223222222222212222
2224222232521312222241214123222232222122112132214411113521221111222122421221124212211113222121212223
33211113221211222312135411422412211221
1212111111113311121111111112121111111211211111112312111211221111111112121111121111111111121112113231
12121111111111121112111111331213121111
3252132112121212212222122111111222221112322221121312122312112211122232122121121112313133221112122313
12111212121211324212223311221323111131
"""
WITH = """
555355554555555544555555453444234355555555555555135545435545555534545555151355555545455511
553355555555554522555555434424222455545555555455224532335545555322442255252255555555355522
554255555555555555555555534524315455555555555555225523235555555423555555252354555555555521
555455555555555554555555545555155555555555555555545545544445555535555555152355555555555555
552255245555555515544555435423233355555555555545124541332322155312551455151353555535555523
"""
AREAS = [(0.91965, 0.94783), (0.85878, 0.90531), (0.90386, 0.92174), (0.97311, 0.99936),
         (0.82979, 0.92995)]  # fmt: skip
PRINTED = [  # of each test alone: mean, MS(R), Cov2, standard error, df, interval
    (0.89704, 0.0030826, 0.00047718, 0.033071, 12.588, (0.82535, 0.96872)),
    (0.94084, 0.0013046, 0.00020095, 0.021491, 12.534, (0.89423, 0.98744)),
]
JACKKNIFE = [(0.0010141028, 0.0004839618), (0.0005904738, 0.0002041879)]  # RJafroc: Var, Cov2


def ratings(text, cases):
    digits = "".join(text.split())
    assert len(digits) == 5 * cases * 2
    array = np.array(list(digits), dtype=int).reshape(5, cases, 2)
    return array.transpose(2, 0, 1)  # test, reader, case


@pytest.fixture(scope="module")
def van_dyke():
    return ratings(WITHOUT, 69), ratings(WITH, 45)


# ── the analysis, a second time ──────────────────────────────────────────────────────────────


def unbiased_covariance(a, b):
    """Covariance of two areas, from kernels of shape (without, with): Gallas's four moments."""
    n0, n1 = a.shape
    total = a.sum() * b.sum()
    same = (a * b).sum()
    rows = (a.sum(axis=1) * b.sum(axis=1)).sum()  # the same case without the disease
    columns = (a.sum(axis=0) * b.sum(axis=0)).sum()
    pairs = n0 * n1
    m1 = same / pairs
    m2 = (rows - same) / (pairs * (n1 - 1))
    m3 = (columns - same) / (pairs * (n0 - 1))
    m4 = (total - rows - columns + same) / (pairs * (n0 - 1) * (n1 - 1))
    return (m1 + (n1 - 1) * m2 + (n0 - 1) * m3 + ((n0 - 1) * (n1 - 1) - pairs) * m4) / pairs


def jackknife_covariances(kernels):
    """Covariances of areas, leaving out one case at a time; kernels: (readers, without, with)."""
    _, n0, n1 = kernels.shape
    total = kernels.sum(axis=(1, 2))[:, None]
    left_out = np.hstack(
        [
            (total - kernels.sum(axis=2)) / ((n0 - 1) * n1),
            (total - kernels.sum(axis=1)) / (n0 * (n1 - 1)),
        ]
    )
    return np.cov(left_out, bias=True) * (n0 + n1 - 1)


def between(covariances):
    """The mean covariance of two readers."""
    return covariances[~np.eye(len(covariances), dtype=bool)].mean()


def one_test(scores, covariances):
    """(mean, MS(R), Cov2, variance, Hillis's df) of one test, readers and cases drawn at random."""
    r = len(scores)
    ms = scores.var(ddof=1)
    cov2 = between(covariances)
    variance = (ms + r * cov2) / r
    return scores.mean(), ms, cov2, variance, (r * variance) ** 2 / (ms**2 / (r - 1))


def readers_in_tests(a, b):
    """Variance of the difference of two tests whose readers are other people: (seeds, images)."""
    both = np.cov(np.vstack([a, b])) / a.shape[1]
    k = len(a)
    variances = [one_test(each.mean(axis=1), np.cov(each) / each.shape[1])[3] for each in (a, b)]
    return sum(variances) - 2 * both[:k, k:].mean()


def test_the_analysis_written_here_prints_what_mrmcaov_prints(van_dyke):
    without, with_ = van_dyke
    errors, kernels_of = [], []
    for test, expected in enumerate(PRINTED):
        higher = with_[test][:, None, :] > without[test][:, :, None]
        tied = with_[test][:, None, :] == without[test][:, :, None]
        kernels = higher + 0.5 * tied
        areas = kernels.mean(axis=(1, 2))
        np.testing.assert_allclose(areas, [each[test] for each in AREAS], atol=5e-6)
        covariances = np.array([[unbiased_covariance(a, b) for a in kernels] for b in kernels])
        mean, ms, cov2, variance, df = one_test(areas, covariances)
        errors.append(np.diag(covariances).mean())
        found = (mean, ms, cov2, np.sqrt(variance), df)
        np.testing.assert_allclose(found, expected[:5], rtol=5e-5)
        half = stdtrit(df, 0.975) * np.sqrt(variance)
        np.testing.assert_allclose((mean - half, mean + half), expected[5], atol=5e-6)
        jackknife = jackknife_covariances(kernels)
        np.testing.assert_allclose(
            (np.diag(jackknife).mean(), between(jackknife)), JACKKNIFE[test], atol=5e-11
        )
        kernels_of.append(kernels)
    cov1 = np.mean([unbiased_covariance(a, b) for a, b in zip(*kernels_of, strict=True)])
    cov3 = between(
        np.array([[unbiased_covariance(a, b) for b in kernels_of[1]] for a in kernels_of[0]])
    )
    found = (np.mean(errors), cov1, cov3)
    np.testing.assert_allclose(found, (0.00078839, 0.00034167, 0.00023561), atol=5e-9)


# ── ours ─────────────────────────────────────────────────────────────────────────────────────


def studies(van_dyke):
    """Yield right or wrong by two tests: a rating of 3 or more says "with", as MRMCaov's guide."""
    without, with_ = van_dyke
    yield with_[0] >= 3, with_[1] >= 3  # sensitivity
    yield without[0] < 3, without[1] < 3  # specificity
    rng = np.random.default_rng(5)
    for seeds in ((3, 3), (5, 5), (4, 7)):
        easy = rng.normal(size=300)
        yield tuple(
            easy + rng.normal(size=(n, 1)) + rng.normal(size=(n, 300)) > -1.5 for n in seeds
        )


def test_one_model_has_the_variance_of_its_family(van_dyke):
    compared = 0
    for models in studies(van_dyke):
        for scores in (np.asarray(each, dtype=float) for each in models):
            covariances = np.cov(scores) / scores.shape[1]
            mean, ms, cov2, variance, df = one_test(scores.mean(axis=1), covariances)
            parts = decompose(scores)
            v1 = parts.between_images / parts.n_images
            v2, v3 = parts.between_seeds / parts.n_seeds, parts.residual / parts.n_images
            v3 /= parts.n_seeds
            assert (parts.mean, parts.between_seeds) == (pytest.approx(mean), pytest.approx(ms))
            assert v1 - v3 == pytest.approx(cov2)
            if v2 > v3:
                assert v1 + excess(v2, v3) == pytest.approx(variance)
                found = degrees_of_freedom(variance, [], [(v2, parts.n_seeds)])
                assert found == pytest.approx(df)
                compared += 1
    assert compared >= 8


def test_a_pair_has_the_variance_of_its_family(van_dyke):
    compared = 0
    for a, b in studies(van_dyke):
        pair = compare_pair(a, b)
        if pair.v2 <= pair.v3:  # ours does not let fewer than no seeds count
            continue
        compared += 1
        assert pair.variance == pytest.approx(readers_in_tests(a.astype(float), b.astype(float)))
    assert compared >= 4


def test_degrees_of_freedom_are_those_of_hillis_but_for_the_images_and_the_limits(van_dyke):
    compared = 0
    for a, b in studies(van_dyke):
        pair = compare_pair(a, b)
        if pair.v2 <= pair.v3:
            continue
        shares = zip(pair.between_seeds, (pair.seeds_a, pair.seeds_b), strict=True)
        of_seeds = sum((between / n) ** 2 / (n - 1) for between, n in shares)
        hillis = pair.variance**2 / of_seeds
        fewest = pair.fewest_seeds - 1
        assert pair.df <= hillis
        if fewest < pair.df < 5 * fewest:
            images = pair.v1**2 / (pair.n_images - 1)
            assert 1 / pair.df - images / pair.variance**2 == pytest.approx(1 / hillis)
            compared += 1
    assert compared >= 4
