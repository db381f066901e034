"""Verdicts, letters and the recommendation against hand-made pairs and a published example.

Cost: 2 s. Run: .venv/bin/pytest tests/analysis/test_verdicts.py
"""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bakeoff.analysis.statistics import (
    compare_pair,
    differ_by_less_than,
    expected,
    half_width,
    tost_p,
)
from bakeoff.analysis.verdicts import (
    EVEN_MEANS,
    NO_DIFFERENCE,
    TOO_SMALL,
    Look,
    images_needed,
    level_of,
    seeds_for_equality,
    seeds_needed,
    smallest_margin,
    unsettled,
    verdicts,
)
from tests.helpers.pairs import pair_of

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
    turned = np.ones((3, 360), dtype=bool)
    turned[0, 0] = turned[1, 1] = False
    found = verdicts({("a", "b"): compare_pair(turned, turned[::-1, ::-1])}, margin=0.002)[0]
    assert (found.test.difference, found.needs) == (0, EVEN_MEANS)
    same = np.ones((3, 10_000), dtype=bool)
    found = verdicts({("a", "b"): compare_pair(same, same)}, margin=0.002)[0]
    assert found.verdict == "practically equal"


def test_the_sentence_has_the_numbers():
    found = verdicts({("a", "b"): pair_of(0.0015, 0.0002)}, margin=0.002)[0]
    assert found.sentence == (
        "a is better than b, by less than the margin (difference +0.15 points, pairwise 95 % "
        "interval +0.11 to +0.19, Holm-adjusted p < 0.001, 9 seeds, 10,000 test images); they "
        "differ by less than 0.20 points (one-sided 95 %)"
    )
    found = verdicts({("a", "b"): pair_of(-0.003, 0.002)}, margin=0.002)[0]
    assert found.sentence == (
        "a and b are not separated (difference −0.30 points, pairwise 95 % interval −0.71 to "
        "+0.11, Holm-adjusted p = 0.144, 9 seeds, 10,000 test images); they differ by less than "
        "0.65 points (one-sided 95 %); about 17 seeds of each model would separate them with even "
        "chances, if the difference is real and as large as it seems; 33 for chances of 80 %; 78 "
        "seeds of each model would show them to be practically equal with chances of 80 %, if "
        "they are equal"
    )
    found = verdicts({("a", "b"): pair_of(0.0001, 0.0004)}, margin=0.002)[0]
    assert found.sentence == (
        "a and b are practically equal (difference +0.01 points, pairwise 95 % interval −0.07 to "
        "+0.09, Holm-adjusted p < 0.001 for a margin of 0.20 points, 9 seeds, 10,000 test "
        "images); they differ by less than 0.09 points (one-sided 95 %)"
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


def test_images_needed_by_hand():
    # images 3, noise 1, seeds ½ (in 1e-6): V2 = 1.5, V3 = 1; the images' part and the noise shrink
    pair = replace(
        pair_of(0.003, 0.001), v1=4e-6, between_seeds=(6.75e-6,) * 2, residual=(0.045,) * 2
    )
    assert pair.sources == pytest.approx((3e-6, 0.5e-6, 1e-6))
    n = 10_000 * 4e-6 / ((0.003 / stats.t.isf(0.025, 30)) ** 2 - 0.5e-6)
    assert images_needed(pair) == pytest.approx(n, abs=1)  # 24,129; 18,097 without the noise


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


# --- the recommendation ---


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
    wide = replace(tests["a", "b"], level=level_of(look))
    (sentence,) = (pair.sentence for pair in verdicts({("a", "b"): wide}, margin=1, look=look))
    assert "pairwise 98.33 % interval" in sentence
    assert "pairwise 95 % interval" in alone[0].sentence
    assert unsettled(found) == {"a", "b", "c"}
    needed = seeds_needed(tests["a", "c"], alpha=0.05 / 3 / 2)  # two pairs are not separated
    assert found[1].advice.seeds == needed != seeds_needed(tests["a", "c"], alpha=0.05)


def test_models_of_settled_pairs_need_no_more_seeds():
    tests = {("a", "b"): pair_of(0.02, 0.0006), ("a", "c"): pair_of(0.0001, 0.0006),
             ("b", "c"): pair_of(-0.02, 0.0006)}  # fmt: skip
    assert unsettled(verdicts(tests, margin=0.0005)) == {"a", "c"}
    assert unsettled(verdicts(tests, margin=0.01)) == frozenset()
    assert unsettled(()) == frozenset()
