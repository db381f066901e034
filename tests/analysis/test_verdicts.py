"""Verdicts, letters and the recommendation against hand-made pairs and a published example.

Cost: 2 s. Run: .venv/bin/pytest tests/analysis/test_verdicts.py
"""

import re
from dataclasses import replace
from itertools import combinations
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bakeoff.analysis.letters import letters
from bakeoff.analysis.recommendation import Candidate, recommend
from bakeoff.analysis.statistics import (
    PairTest,
    compare_pair,
    differ_by_less_than,
    expected,
    half_width,
    one_sided_lower_bound,
    tost_p,
)
from bakeoff.analysis.verdicts import (
    NO_DIFFERENCE,
    TOO_SMALL,
    Look,
    images_needed,
    seeds_for_equality,
    seeds_needed,
    smallest_margin,
    unsettled,
    verdicts,
)


def pair_of(difference, error, *, df=30.0, n_images=10_000, seeds=9) -> PairTest:
    """A pair with these numbers, all of its variance between the seeds of A and B."""
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
        between_seeds=(error**2 * seeds / 2, error**2 * seeds / 2),
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
    assert [v.by_less_than_margin for v in found] == [False, False, False, False, True]
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
    tost = tost_p(equal, 0.002)
    assert 0.025 < tost < 0.05
    assert verdicts({("a", "b"): equal}, margin=0.002)[0].verdict == "practically equal"
    two = verdicts({("a", "b"): equal, ("a", "c"): pair_of(0.0, 0.01)}, margin=0.002)
    assert two[0].verdict == "not separated"
    assert two[0].p_equal_holm == pytest.approx(2 * tost)


@pytest.mark.parametrize("seeds", [2, 3])
def test_no_verdict_below_three_seeds_of_each_model(seeds):
    pairs = {("a", "b"): pair_of(0.05, 0.001), ("a", "c"): pair_of(0.05, 0.001, seeds=seeds)}
    found = verdicts(pairs, margin=0.002)
    if seeds == 3:
        assert [pair.verdict for pair in found] == ["better", "better"]
        return
    assert all(pair.verdict is pair.p_holm is pair.p_equal_holm is None for pair in found)
    assert found[1].sentence == (
        "no verdict on a and c (difference +5.00 points, pairwise 95 % interval +4.80 to +5.20, "
        "2 seeds, 10,000 test images); 2 seeds of a model cannot tell a better model from a lucky "
        "run: train at least 3 of each (--seeds 3), better 5"
    )
    assert found[1].less_than == differ_by_less_than(pairs["a", "c"])


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
        "interval +0.11 to +0.19, Holm-adjusted p < 0.001, 9 seeds, 10,000 test images)"
    )
    found = verdicts({("a", "b"): pair_of(-0.003, 0.002)}, margin=0.002)[0]
    assert found.sentence == (
        "a and b are not separated (difference −0.30 points, pairwise 95 % interval −0.71 to "
        "+0.11, Holm-adjusted p = 0.144, 9 seeds, 10,000 test images); they differ by less than "
        "0.65 points; about 17 seeds of each model would separate them with even chances, if the "
        "difference is real and as large as it seems; 33 for chances of 80 %; 78 seeds of each "
        "model would show them to be practically equal with chances of 80 %, if they are equal"
    )
    found = verdicts({("a", "b"): pair_of(0.0001, 0.0004)}, margin=0.002)[0]
    assert found.sentence == (
        "a and b are practically equal (difference +0.01 points, pairwise 95 % interval −0.07 to "
        "+0.09, Holm-adjusted p < 0.001 for a margin of 0.20 points, 9 seeds, 10,000 test "
        "images); they differ by less than 0.08 points"
    )


def test_a_failed_run_is_named_beside_the_interval_it_widens():
    failed = {("a", "b"): "b failed with seed 3"}
    found = verdicts({("a", "b"): pair_of(0.02, 0.2)}, margin=0.002, failed=failed)[0]
    assert found.needs == (
        "b failed with seed 3, which makes this interval wide: mend that before adding seeds"
    )
    few = verdicts({("a", "b"): pair_of(0.02, 0.2, seeds=2)}, margin=0.002, failed=failed)[0]
    assert "b failed with seed 3; 2 seeds of a model cannot tell" in few.sentence


# --- how many seeds, what margin ---


def test_seeds_needed_by_hand():
    # All of V between the seeds: V(S) = 9·0.002²/S with 2(S − 1) degrees of freedom.
    def t(seeds):
        return 0.003 / sqrt(9 * 0.002**2 / seeds)

    pair = pair_of(0.003, 0.002)
    assert t(16) < stats.t.isf(0.025, 30)
    assert t(17) > stats.t.isf(0.025, 32)
    assert seeds_needed(pair) == 17
    assert t(32) < stats.t.isf(0.025, 62) + stats.t.isf(0.2, 62)
    assert t(33) > stats.t.isf(0.025, 64) + stats.t.isf(0.2, 64)
    assert seeds_needed(pair, odds=0.8) == 33
    assert images_needed(pair) is None  # not an image would help


def test_seeds_for_equality_by_hand():
    def error(seeds):
        return sqrt(9 * 0.001**2 / seeds)

    def needs(seeds):
        df = 2 * (seeds - 1)
        return (stats.t.isf(0.05, df) + stats.t.isf(0.1, df)) * error(seeds)

    pair = pair_of(0.0, 0.001)
    assert needs(20) > 0.002 > needs(21)
    assert seeds_for_equality(pair, 0.002) == 21
    assert seeds_for_equality(pair_of(0.0, 0.001, n_images=360), 0.002) is None


def test_more_seeds_cannot_help_a_test_set_that_is_too_small():
    rng = np.random.default_rng(0)
    hard = rng.random(360) < 0.5
    a = np.tile(hard, (5, 1))
    b = np.tile(np.roll(hard, 1), (5, 1))
    a[:, 0] = ~a[:, 0]
    pair = compare_pair(a, b)
    assert pair.difference != 0
    assert pair.sources[1:] == (0, 0)
    assert seeds_needed(pair) is None
    found = verdicts({("a", "b"): pair}, margin=0.002)[0]
    assert found.advice.cannot
    images = images_needed(pair)
    assert found.needs.startswith(f"{TOO_SMALL} (about ")
    assert images == pytest.approx(360 * pair.variance / (pair.difference / 2.086) ** 2, rel=0.01)


def test_seeds_that_may_not_help_are_not_said_to_be_no_help():
    # The images' own part is 0.002², or as far as these images tell 0.0008² at the least.
    pair = replace(pair_of(0.0035, 0.001), v1=4e-6, v1_error=2e-6, p=0.1)
    assert seeds_needed(pair) is None
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


def test_smallest_margin_is_that_of_no_difference():
    pair = pair_of(0.0, 0.001)
    assert smallest_margin(pair) == half_width(pair, tail=0.05)
    assert tost_p(pair, smallest_margin(pair)) == pytest.approx(0.05)
    found = verdicts({("a", "b"): pair, ("a", "c"): pair_of(0.1, 0.001)}, margin=0.002)[0]
    assert found.smallest_margin == half_width(pair, tail=0.025)


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


def all_pairs(*models, error=0.001, **errors):
    """Tests of all pairs of candidates, with the difference of their means."""
    return {
        (a.name, b.name): pair_of(a.mean - b.mean, errors.get(f"{a.name}_{b.name}", error))
        for a, b in combinations(models, 2)
    }


def test_the_smallest_that_the_walk_reaches_is_recommended():
    pairs = all_pairs(BIG, MIDDLE, SMALL)
    found = recommend([BIG, MIDDLE, SMALL], pairs, give_up=0.005)
    assert (found.model, found.best) == ("middle", "big")
    assert found.loses_at_most == pytest.approx(
        -one_sided_lower_bound(pairs["big", "middle"].flipped())
    )
    assert found.reason == (
        "It is correct on 98.30 % of the test images, with 100,000 parameters; big, with 400,000, "
        "is correct on 98.50 %. It loses less than 0.38 points to any other model (one-sided 95 % "
        "bound, 9 seeds, 10,000 test images), within the 0.50 allowed"
    )
    generous = recommend([BIG, MIDDLE, SMALL], pairs, give_up=0.02)
    assert generous.model == "small"


def test_nothing_smaller_is_shown_to_be_as_good():
    pairs = all_pairs(SMALL, MIDDLE, BIG, error=0.003)
    found = recommend([SMALL, MIDDLE, BIG], pairs, give_up=0.005)
    assert (found.model, found.loses_at_most, found.shown) == ("big", None, True)
    assert found.reason == (
        "It has the highest mean accuracy, 98.50 %. Nothing smaller is shown to be nearly as "
        "good: the next in size, middle (98.30 %), may lose 0.72 points to it (one-sided 95 % "
        "bound, 9 seeds, 10,000 test images), more than the 0.50 allowed"
    )


def test_the_walk_stops_at_the_first_that_fails():
    near = Candidate("near", 20_000, 0.981)
    tiny = Candidate("tiny", 1_000, 0.9845)  # shown to be nearly as good, but behind `near`
    pairs = all_pairs(BIG, MIDDLE, near, tiny)
    assert recommend([BIG, MIDDLE, near, tiny], pairs, give_up=0.005).model == "middle"
    barred = recommend([BIG, MIDDLE, near, tiny], pairs, give_up=0.005, barred=["near"])
    assert barred.model == "tiny"


def test_what_is_shown_to_lose_too_much_is_no_obstacle():
    tiny = Candidate("tiny", 1_000, 0.9845)
    pairs = all_pairs(BIG, SMALL, tiny)
    assert recommend([BIG, SMALL, tiny], pairs, give_up=0.005).model == "tiny"
    found = recommend([BIG, SMALL], all_pairs(BIG, SMALL), give_up=0.005)
    assert found.reason == (
        "It has the highest mean accuracy, 98.50 %. The smaller small is shown to lose more than "
        "the 0.50 points allowed"
    )


def test_what_is_lost_to_any_other_model_counts():
    other = Candidate("other", 450_000, 0.9849)  # its pair with `middle` is hardly known
    pairs = all_pairs(BIG, other, MIDDLE, other_middle=0.01)
    found = recommend([BIG, other, MIDDLE], pairs, give_up=0.005)
    assert found.model == "big"
    assert "may lose 1.94 points to other (one-sided" in found.reason


def test_the_best_is_the_smallest():
    best = Candidate("best", 10, 0.99)
    pairs = {("best", "big"): pair_of(0.005, 0.001)}
    found = recommend([BIG, best], pairs, give_up=0.005)
    assert found.model == "best"
    assert found.reason == (
        "It has the highest mean accuracy, 99.00 %, and no other model has fewer parameters "
        "than its 10"
    )


def test_equal_sizes_are_decided_by_the_mean():
    twins = [Candidate("one", 20_000, 0.974), SMALL, BIG]
    assert recommend(twins, all_pairs(*twins), give_up=0.02).model == "small"
    equal = [BIG, Candidate("light", 5, 0.985)]
    assert recommend(equal, {("big", "light"): pair_of(0, 0.1)}, give_up=0.005).model == "light"


def test_one_seed_shows_nothing_about_models():
    found = recommend([SMALL, BIG], {}, give_up=0.005)
    assert (found.model, found.loses_at_most, found.shown) == ("big", None, False)
    assert found.reason == (
        "big has the highest test accuracy, 98.50 %, but one seed of a model cannot tell a better "
        "model from a lucky run: train at least 3 of each (--seeds 3), better 5"
    )


def test_a_lone_model():
    found = recommend([SMALL], {}, give_up=0.005)
    assert (found.model, found.reason) == ("small", "It is the only model (97.50 % correct)")


def test_a_pair_that_is_missing_is_named():
    message = "expected a test of middle against small among the pairs, found none"
    with pytest.raises(ValueError, match=f"^{message}$"):
        recommend([BIG, MIDDLE, SMALL], {("middle", "big"): pair_of(0, 1)}, give_up=0.005)


# ── looks ────────────────────────────────────────────────────────────────────────────────────


def test_a_look_has_its_share_of_alpha():
    tests = {("a", "b"): pair_of(0.0015, 0.0006), ("a", "c"): pair_of(0.0012, 0.0006)}
    alone = verdicts(tests, margin=0.002)
    look = Look(2, (5, 9, 20))
    found = verdicts(tests, margin=0.002, look=look)
    for once, of_three in zip(alone, found, strict=True):
        assert of_three.p_holm == pytest.approx(min(1, 3 * once.p_holm))
        assert of_three.p_equal_holm == pytest.approx(min(1, 3 * once.p_equal_holm))
        assert of_three.smallest_margin > once.smallest_margin
        assert of_three.less_than > once.less_than
        assert ", look 2 of 3)" in of_three.sentence and "look" not in once.sentence
    assert alone[0].verdict == "better" != found[0].verdict
    assert unsettled(found) == {"a", "b", "c"}


def test_models_of_settled_pairs_need_no_more_seeds():
    tests = {("a", "b"): pair_of(0.02, 0.0006), ("a", "c"): pair_of(0.0001, 0.0006),
             ("b", "c"): pair_of(-0.02, 0.0006)}  # fmt: skip
    assert unsettled(verdicts(tests, margin=0.0005)) == {"a", "c"}
    assert unsettled(verdicts(tests, margin=0.01)) == frozenset()
    assert unsettled(()) == frozenset()
