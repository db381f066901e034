"""Verdicts, letters and the recommendation against hand-made pairs and a published example.

Cost: 2 s. Run: .venv/bin/pytest tests/analysis/test_verdicts.py
"""

import re
from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bakeoff.analysis.letters import letters
from bakeoff.analysis.recommendation import Candidate, recommend
from bakeoff.analysis.statistics import PairTest, compare_pair, variance_with
from bakeoff.analysis.verdicts import (
    NO_DIFFERENCE,
    TOO_SMALL,
    seeds_needed,
    smallest_margin,
    verdicts,
)


def pair_of(difference, error, *, df=30.0, n_images=10_000, seeds=5) -> PairTest:
    """A pair with these numbers, all of its variance between the seeds of A."""
    t = difference / error
    half = stats.t.isf(0.025, df) * error
    return PairTest(
        difference=difference,
        low=difference - half,
        high=difference + half,
        df=df,
        t=t,
        p=2 * stats.t.sf(abs(t), df),
        v1=0.0,
        between_seeds=(error**2 * seeds, 0.0),
        residual=(0.0, 0.0),
        n_images=n_images,
        seeds_a=seeds,
        seeds_b=seeds,
    )


# --- verdicts ---


def test_each_verdict():
    pairs = {
        ("big", "small"): pair_of(0.010, 0.001),
        ("small", "big-2"): pair_of(-0.010, 0.001),
        ("big", "big-2"): pair_of(0.0001, 0.0003),
        ("big", "odd"): pair_of(0.003, 0.002),
        ("twin", "big"): pair_of(0.0015, 0.0002),
    }
    found = verdicts(pairs, margin=0.002)
    assert [v.verdict for v in found] == [
        "better",
        "worse",
        "practically equal",
        "not separated",
        "better",
    ]
    assert [v.less_than_margin for v in found] == [False, False, False, False, True]
    assert [(v.a, v.b) for v in found] == list(pairs)
    assert [v.needs is None for v in found] == [True, True, True, False, True]


def test_holm_is_over_all_pairs():
    lone = {("a", "b"): pair_of(0.0025, 0.001)}
    assert lone["a", "b"].p == pytest.approx(0.018, abs=0.001)
    assert verdicts(lone, margin=0.002)[0].verdict == "better"
    crowd = lone | {(x, y): pair_of(0.0, 0.001) for x, y in [("a", "c"), ("b", "c")]}
    first = verdicts(crowd, margin=0.002)[0]
    assert first.verdict == "not separated"
    assert first.p_holm == pytest.approx(3 * lone["a", "b"].p)


def test_equality_is_adjusted_over_all_pairs_too():
    equal = pair_of(0.0, 0.001)
    tost = stats.t.sf(2.0, 30)
    assert 0.025 < tost < 0.05
    assert verdicts({("a", "b"): equal}, margin=0.002)[0].verdict == "practically equal"
    two = verdicts({("a", "b"): equal, ("a", "c"): pair_of(0.0, 0.01)}, margin=0.002)
    assert two[0].verdict == "not separated"
    assert two[0].p_equal_holm == pytest.approx(2 * tost)


def test_no_verdicts_of_one_model():
    assert verdicts({}, margin=0.002) == ()


def test_identical_predictions():
    same = np.ones((3, 360), dtype=bool)
    found = verdicts({("a", "b"): compare_pair(same, same)}, margin=0.002)[0]
    assert (found.verdict, found.p_holm, found.needs) == ("not separated", 1, NO_DIFFERENCE)
    same = np.ones((3, 10_000), dtype=bool)
    found = verdicts({("a", "b"): compare_pair(same, same)}, margin=0.002)[0]
    assert found.verdict == "practically equal"


def test_the_sentence_has_the_numbers():
    found = verdicts({("a", "b"): pair_of(0.0015, 0.0002)}, margin=0.002)[0]
    assert found.sentence == (
        "a is better than b, by less than the margin (difference +0.15 points, pairwise 95 % "
        "interval +0.11 to +0.19, Holm-adjusted p < 0.001, 5 seeds, 10,000 test images)"
    )
    found = verdicts({("a", "b"): pair_of(-0.003, 0.002)}, margin=0.002)[0]
    assert found.sentence == (
        "a and b are not separated (difference −0.30 points, pairwise 95 % interval −0.71 to "
        "+0.11, Holm-adjusted p = 0.144, 5 seeds, 10,000 test images); about 12 seeds of each "
        "model would separate a difference as large as this one"
    )


# --- how many seeds, what margin ---


def test_seeds_needed_by_hand():
    # All of V between the seeds of A: V(S) = 5·0.002²/S with S − 1 degrees of freedom.
    def t(seeds):
        return 0.003 / sqrt(5 * 0.002**2 / seeds)

    assert t(11) < stats.t.isf(0.025, 10)
    assert t(12) > stats.t.isf(0.025, 11)
    assert seeds_needed(pair_of(0.003, 0.002)) == 12


def test_more_seeds_cannot_help_a_test_set_that_is_too_small():
    rng = np.random.default_rng(0)
    hard = rng.random(360) < 0.5
    a = np.tile(hard, (5, 1))
    b = np.tile(np.roll(hard, 1), (5, 1))
    a[:, 0] = ~a[:, 0]
    pair = compare_pair(a, b)
    assert pair.difference != 0
    assert seeds_needed(pair) is None
    assert verdicts({("a", "b"): pair}, margin=0.002)[0].needs == TOO_SMALL


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.001, 0.05))
def test_seeds_needed_are_the_fewest_that_separate(seed, alpha):
    rng = np.random.default_rng(seed)
    a, b = ((rng.random((4, 200)) + 0.1 * rng.normal(size=(4, 1))) < 0.9 for _ in range(2))
    pair = compare_pair(a, b)
    needed = seeds_needed(pair, alpha=alpha)

    def separates(seeds):
        variance, df = variance_with(pair, seeds)
        return abs(pair.difference) > stats.t.isf(alpha / 2, df) * sqrt(variance)

    if needed is None:
        assert not separates(10**6)
    else:
        assert separates(needed)
        assert needed == 5 or not separates(needed - 1)


def test_smallest_margin_is_that_of_no_difference():
    pair = pair_of(0.001, 0.001)
    assert smallest_margin(pair) == pytest.approx(stats.t.isf(0.05, 30) * 0.001)
    found = verdicts({("a", "b"): pair, ("a", "c"): pair_of(0.1, 0.001)}, margin=0.002)[0]
    assert found.smallest_margin == pytest.approx(stats.t.isf(0.025, 30) * 0.001)


# --- letters ---


def test_letters_of_a_published_example():
    """Gramm et al. 2007, Computational Statistics & Data Analysis 52, figure 2.

    Five treatments; {1,5}, {2,3}, {2,5} and {3,5} differ. The cliques of what is left are
    {1,2,4}, {1,3,4} and {4,5}.
    """
    found = letters("12345", [("1", "5"), ("2", "3"), ("2", "5"), ("3", "5")])
    assert found == {"1": "ab", "2": "a", "3": "b", "4": "abc", "5": "c"}


def test_letters_by_hand():
    assert letters("abc", []) == {"a": "a", "b": "a", "c": "a"}
    assert letters("xyz", [("x", "y"), ("x", "z"), ("y", "z")]) == {"x": "a", "y": "b", "z": "c"}
    assert letters("xyz", [("z", "x")]) == {"x": "a", "y": "ab", "z": "b"}
    assert letters(["alone"], []) == {"alone": "a"}


def test_letters_do_not_run_out():
    names = [f"m{k}" for k in range(60)]
    found = letters(names, combinations(names, 2))
    assert len(set(found.values())) == 60
    assert (found["m25"], found["m26"], found["m52"]) == ("z", "A", "(53)")


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 8).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.sampled_from([*combinations(range(n), 2), ()])))
    )
)
def test_models_share_a_letter_exactly_where_they_are_not_separated(drawn):
    n, chosen = drawn
    names = [f"m{k}" for k in range(n)]
    separated = {(names[pair[1]], names[pair[0]]) for pair in chosen if pair}
    found = letters(names, separated)
    assert found["m0"].startswith("a")
    for a, b in combinations(names, 2):
        assert bool(set(found[a]) & set(found[b])) == ((b, a) not in separated)


def test_letters_refuse_a_stranger():
    message = "expected two of the models a, b; got a, c"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        letters("ab", [("a", "c")])


# --- the recommendation ---

BIG = Candidate("big", 400_000, 0.985)
MIDDLE = Candidate("middle", 100_000, 0.983)
SMALL = Candidate("small", 20_000, 0.975)


def test_the_smallest_that_is_shown_to_lose_little_is_recommended():
    pairs = {("middle", "big"): pair_of(-0.002, 0.001), ("big", "small"): pair_of(0.010, 0.001)}
    found = recommend([BIG, MIDDLE, SMALL], pairs, give_up=0.005)
    assert (found.model, found.best) == ("middle", "big")
    assert found.loses_at_most == pytest.approx(0.002 + stats.t.isf(0.05, 30) * 0.001)
    assert found.reason == (
        "big has the highest mean accuracy, 98.50 %; middle (98.30 %) loses at most 0.37 points "
        "to it (one-sided 95 % bound, 5 seeds, 10,000 test images), less than the 0.50 allowed, "
        "with 100,000 parameters instead of 400,000"
    )
    generous = recommend([BIG, MIDDLE, SMALL], pairs, give_up=0.02)
    assert generous.model == "small"


def test_nothing_smaller_could_be_shown_to_be_as_good():
    pairs = {("middle", "big"): pair_of(-0.002, 0.003), ("big", "small"): pair_of(0.010, 0.001)}
    found = recommend([SMALL, MIDDLE, BIG], pairs, give_up=0.005)
    assert (found.model, found.loses_at_most) == ("big", 0)
    assert found.reason == (
        "big has the highest mean accuracy, 98.50 %; no smaller model could be shown to lose less "
        "than 0.50 points to it: the closest, middle (98.30 %), may lose 0.71 (one-sided 95 % "
        "bound, 5 seeds, 10,000 test images)"
    )


def test_the_best_is_the_smallest():
    best = Candidate("best", 10, 0.99)
    pairs = {("best", "big"): pair_of(0.005, 0.001)}
    found = recommend([BIG, best], pairs, give_up=0.005)
    assert found.model == "best"
    assert found.reason == (
        "best has the highest mean accuracy, 99.00 %, and no other model has fewer parameters "
        "than its 10"
    )


def test_equal_sizes_are_decided_by_the_mean():
    twins = [Candidate("one", 20_000, 0.974), SMALL, BIG]
    pairs = {("small", "big"): pair_of(-0.01, 0.001), ("one", "big"): pair_of(-0.011, 0.001)}
    assert recommend(twins, pairs, give_up=0.02).model == "small"
    equal = [BIG, Candidate("light", 5, 0.985)]
    assert recommend(equal, {("big", "light"): pair_of(0, 0.1)}, give_up=0.005).model == "light"


def test_one_seed_shows_nothing_about_models():
    found = recommend([SMALL, BIG], {}, give_up=0.005)
    assert (found.model, found.loses_at_most) == ("big", None)
    assert found.reason == (
        "big has the highest test accuracy, 98.50 %; with one seed of a model nothing about "
        "models could be shown, only about these trained files"
    )


def test_a_lone_model():
    found = recommend([SMALL], {}, give_up=0.005)
    assert (found.model, found.reason) == ("small", "small is the only model (97.50 % right)")


def test_a_pair_that_is_missing_is_named():
    message = "expected a test of small against big among the pairs, found none"
    with pytest.raises(ValueError, match=f"^{message}$"):
        recommend([BIG, MIDDLE, SMALL], {("middle", "big"): pair_of(0, 1)}, give_up=0.005)
