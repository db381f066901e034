"""What would separate a pair, or show it to be equal, against arithmetic by hand.

Cost: 2 s. Run: .venv/bin/pytest tests/analysis/test_advice.py
"""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bakeoff.analysis.advice import images_needed, seeds_for_equality, seeds_needed
from bakeoff.analysis.statistics import compare_pair, expected
from bakeoff.analysis.verdicts import ALPHA, TOO_SMALL, verdicts
from tests.helpers.pairs import pair_of


def test_seeds_needed_by_hand():
    # All of V between the seeds: V(S) = 9·0.002²/S with 2(S − 1) degrees of freedom.
    def t(seeds):
        return 0.003 / sqrt(9 * 0.002**2 / seeds)

    pair = pair_of(0.003, 0.002)
    assert t(16) < stats.t.isf(0.025, 30)
    assert t(17) > stats.t.isf(0.025, 32)
    assert seeds_needed(pair, alpha=ALPHA) == 17
    assert t(32) < stats.t.isf(0.025, 62) + stats.t.isf(0.2, 62)
    assert t(33) > stats.t.isf(0.025, 64) + stats.t.isf(0.2, 64)
    assert seeds_needed(pair, alpha=ALPHA, odds=0.8) == 33
    assert images_needed(pair, alpha=ALPHA) is None  # not an image would help


def test_seeds_for_equality_by_hand():
    def error(seeds):
        return sqrt(9 * 0.001**2 / seeds)

    def needs(seeds):
        df = 2 * (seeds - 1)
        return (stats.t.isf(0.05, df) + stats.t.isf(0.1, df)) * error(seeds)

    pair = pair_of(0.0, 0.001)
    assert needs(20) > 0.002 > needs(21)
    assert seeds_for_equality(pair, 0.002, alpha=ALPHA) == 21
    assert seeds_for_equality(pair_of(0.0, 0.001, n_images=360), 0.002, alpha=ALPHA) is None


def test_more_seeds_cannot_help_a_test_set_that_is_too_small():
    rng = np.random.default_rng(0)
    hard = rng.random(360) < 0.5
    a = np.tile(hard, (5, 1))
    b = np.tile(np.roll(hard, 1), (5, 1))
    a[:, 0] = ~a[:, 0]
    pair = compare_pair(a, b)
    assert pair.difference != 0
    assert pair.sources[1:] == (0, 0)
    assert seeds_needed(pair, alpha=ALPHA) is None
    found = verdicts({("a", "b"): pair}, margin=0.002)[0]
    assert found.advice.cannot
    images = images_needed(pair, alpha=ALPHA)
    assert found.needs.startswith(f"{TOO_SMALL} (about ")
    assert images == pytest.approx(360 * pair.variance / (pair.difference / 2.086) ** 2, rel=0.01)


def test_images_needed_by_hand():
    # images 3, noise 1, seeds ½ (in 1e-6): V2 = 1.5, V3 = 1; the images' part and the noise shrink
    pair = replace(
        pair_of(0.003, 0.001), v1=4e-6, between_seeds=(6.75e-6,) * 2, residual=(0.045,) * 2
    )
    assert pair.sources == pytest.approx((3e-6, 0.5e-6, 1e-6))
    n = 10_000 * 4e-6 / ((0.003 / stats.t.isf(0.025, 30)) ** 2 - 0.5e-6)
    assert images_needed(pair, alpha=ALPHA) == pytest.approx(
        n, abs=1
    )  # 24,129; 18,097 without the noise


def test_seeds_that_may_not_help_are_not_said_to_be_no_help():
    # The images' own part is 0.002², or as far as these images tell 0.0008² at the least.
    pair = replace(pair_of(0.0035, 0.001), v1=4e-6, v1_error=2e-6, p=0.1)
    assert seeds_needed(pair, alpha=ALPHA) is None
    found = verdicts({("a", "b"): pair}, margin=0.002)[0]
    assert not found.advice.cannot
    assert found.needs == "whether more seeds would help cannot be said from these"
    sure = verdicts({("a", "b"): replace(pair, v1_error=1e-7)}, margin=0.002)[0]
    assert sure.needs.startswith(TOO_SMALL)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.001, 0.05))
def test_seeds_needed_are_the_fewest_that_separate(seed, alpha):
    rng = np.random.default_rng(seed)
    a, b = ((rng.random((4, 200)) + 0.1 * rng.normal(size=(4, 1))) < 0.9 for _ in range(2))
    pair = compare_pair(a, b)
    needed = seeds_needed(pair, alpha=alpha)

    def separates(seeds):
        then = expected(pair, seeds)
        return abs(pair.difference) > stats.t.isf(alpha / 2, then.df) * sqrt(then.variance)

    if needed is None:
        assert not separates(10**6)
    else:
        assert separates(needed)
        assert needed == 5 or not separates(needed - 1)


def test_no_number_of_seeds_is_said_only_where_no_number_can_show_equality():
    """As 5,000 images with an own part of 3.1 margins² show: some number would do, hardly known."""
    margin = 0.0014
    pair = replace(pair_of(0.0, 0.001, n_images=5_000), v1=(margin / 2.5) ** 2, v1_error=5e-8)
    assert seeds_for_equality(pair, margin, alpha=ALPHA) is None
    found = verdicts({("a", "b"): pair}, margin=margin)[0]
    assert found.equality_needs == (
        "whether more seeds would show them to be practically equal cannot be said from these"
    )
    few = verdicts({("a", "b"): pair_of(0.0, 0.001, n_images=360)}, margin=0.002)[0]
    assert (1 - 0.002) ** 360 > 0.05
    assert few.equality_needs == (
        "no number of seeds would show them to be practically equal: the images are too few"
    )


def test_more_seeds_than_a_study_may_have_are_not_advised():
    found = verdicts({("a", "b"): pair_of(0.0008, 0.01)}, margin=0.002)[0]
    assert (found.advice.seeds, found.advice.equality) == (5404, 1928)
    assert found.needs == (
        "seeds alone will not separate them: about 5,404 seeds of each model would be needed, if "
        "the difference is real and as large as it seems, and a study has at most 1,000"
    )
    assert found.equality_needs == (
        "seeds alone will not show them to be practically equal: 1,928 seeds of each model would "
        "be needed, and a study has at most 1,000"
    )


def test_seeds_that_cannot_separate_may_show_equality_and_the_sentence_says_which():
    """It read "more seeds cannot help: …; 56 seeds of each model would show …"."""
    pair = replace(pair_of(0.0003, 0.0015), v1=1e-7, v1_error=1e-9)
    found = verdicts({("a", "b"): pair}, margin=0.002)[0]
    assert found.sentence.endswith(
        "; more seeds cannot help: the test set is too small to separate them; 56 seeds of each "
        "model would show them to be practically equal with chances of 80 %, if they are equal"
    )
