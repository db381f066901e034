"""Verdicts, letters and the recommendation against hand-made pairs and a published example.

Cost: 2 s. Run: .venv/bin/pytest tests/analysis/test_verdicts.py
"""

from dataclasses import replace

import numpy as np
import pytest

from bakeoff.analysis.advice import seeds_needed
from bakeoff.analysis.statistics import (
    compare_pair,
    differ_by_less_than,
    half_width,
    tost_p,
)
from bakeoff.analysis.verdicts import (
    EVEN_MEANS,
    NO_DIFFERENCE,
    Look,
    level_of,
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
        "2 seeds, 10,000 test images); they differ by less than 5.29 points (one-sided 95 %); 2 "
        "seeds of a model cannot tell a better model from a lucky run: train at least 3 of each "
        "(--seeds 3), better 5"
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
        "b failed with seed 3, which may make this interval wide: mend that before adding seeds"
    )
    few = verdicts({("a", "b"): pair_of(0.02, 0.2, seeds=2)}, margin=0.002, failed=failed)[0]
    assert "b failed with seed 3; 2 seeds of a model cannot tell" in few.sentence


# --- how many seeds, what margin ---


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
