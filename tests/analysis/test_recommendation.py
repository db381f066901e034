"""Which model to use: the smallest that passes, as the chance to err is shared out.

Oracle: shares and bounds by hand. Cost: 1 s.

Run: pytest tests/analysis/test_recommendation.py
"""

from dataclasses import replace
from itertools import combinations
from math import log

import pytest

from bakeoff.analysis.preference import order
from bakeoff.analysis.recommendation import Candidate, recommend
from bakeoff.analysis.statistics import one_sided_lower_bound
from tests.helpers.pairs import pair_of

BIG = Candidate("big", 400_000, 0.985)


MIDDLE = Candidate("middle", 100_000, 0.983)


SMALL = Candidate("small", 20_000, 0.975)


def all_pairs(*models, error=0.001, **errors):
    """Tests of all pairs of candidates, with the difference of their means."""
    return {
        (a.name, b.name): pair_of(a.mean - b.mean, errors.get(f"{a.name}_{b.name}", error))
        for a, b in combinations(models, 2)
    }


def upper(pair, tail):
    """The bound on what the second of a pair loses to the first, wrong in `tail` of studies."""
    return -one_sided_lower_bound(pair.flipped(), level=1 - tail)


def test_the_smallest_that_passes_is_recommended():
    small = replace(SMALL, mean=0.981)  # not shown to lose 0.005, nor to lose less
    pairs = all_pairs(BIG, MIDDLE, small)
    found = recommend([BIG, MIDDLE, small], pairs, give_up=0.005)
    assert (found.model, found.best) == ("middle", "big")
    share = log(4) / log(20)  # of sizes 400, 100 and 20: the first step of the way down
    assert found.loses_at_most == pytest.approx(upper(pairs["big", "middle"], 0.05 * share))
    assert (found.loses_to, found.caution) == ("big", "")
    assert found.level == pytest.approx(1 - 0.05 * share)
    assert found.reason == (
        "It is correct on 98.30 % of the test images, with 100,000 parameters; big, with 400,000, "
        "is correct on 98.50 %. middle loses less than 0.42 points to any other model (one-sided "
        "bound of 97.6 %, 9 seeds, 10,000 test images), within the 0.50 allowed"
    )


def test_one_that_passes_hands_its_share_on():
    pairs = all_pairs(BIG, MIDDLE, SMALL)
    found = recommend([BIG, MIDDLE, SMALL], pairs, give_up=0.02)
    assert found.model == "small"
    assert found.loses_at_most == pytest.approx(upper(pairs["big", "small"], 0.05))
    assert "(one-sided bound of 95 %, 9 seeds" in found.reason


def test_one_smaller_model_has_the_whole_chance_to_err():
    pairs = all_pairs(BIG, MIDDLE)
    found = recommend([BIG, MIDDLE], pairs, give_up=0.005)
    assert found.loses_at_most == pytest.approx(upper(pairs["big", "middle"], 0.05))


def test_nothing_smaller_is_shown_to_be_as_good():
    pairs = all_pairs(SMALL, MIDDLE, BIG, error=0.003)
    found = recommend([SMALL, MIDDLE, BIG], pairs, give_up=0.007)
    assert (found.model, found.shown, found.caution) == ("big", True, "")
    assert found.reason == (
        "It has the highest mean accuracy, 98.50 %, and loses less than 0.44 points to any other "
        "model (one-sided bound of 97.5 %, 9 seeds, 10,000 test images). Nothing smaller is shown "
        "to be nearly as good: the nearest to it, middle (98.30 %), may lose 0.85 points to it "
        "(one-sided bound of 97.6 %, 9 seeds, 10,000 test images), more than the 0.70 allowed"
    )


@pytest.mark.parametrize("give_up", [0.005, 0.00505])
def test_a_bound_is_rounded_up_and_contradicts_no_limit(give_up):
    """A bound just at what may be given up, on either side of it."""
    bound = upper(all_pairs(BIG, MIDDLE)["big", "middle"], 0.05) - 0.002
    limit, passes = f"{100 * give_up:.4g}".ljust(4, "0"), "0.505" if give_up > 0.005 else "0.50"
    for excess in (-1e-6, 1e-6):
        near = replace(MIDDLE, mean=BIG.mean - give_up + bound - excess)
        found = recommend([BIG, near], all_pairs(BIG, near), give_up=give_up)
        if excess < 0:
            assert f"loses less than {passes} points" in found.reason
            assert f"within the {limit} allowed" in found.reason
        else:
            fails = "0.506" if give_up > 0.005 else "0.51"
            assert f"may lose {fails} points to it" in found.reason
            assert f"more than the {limit} allowed" in found.reason


def test_the_highest_mean_has_a_bound_against_every_other_model():
    """Its chance to err is divided among those that may be better: here by two."""
    other = Candidate("other", 450_000, 0.9849)
    pairs = all_pairs(BIG, other, SMALL, error=0.003, big_small=0.001)
    found = recommend([BIG, other, SMALL], pairs, give_up=0.005)
    assert (found.model, found.best, found.loses_to) == ("big", "big", "other")
    assert found.loses_at_most == pytest.approx(
        -one_sided_lower_bound(pairs["big", "other"], level=0.975)
    )
    assert found.level == pytest.approx(0.975)
    assert found.caution == "other may be up to 0.63 points better"
    assert found.reason == (
        "big has the highest mean accuracy, 98.50 %, but may lose 0.63 points to other (one-sided "
        "bound of 97.5 %, 9 seeds, 10,000 test images), more than the 0.50 allowed. The smaller "
        "small is shown to lose more than the 0.50 points that a smaller model may lose"
    )
    at_a_look = recommend([BIG, other, SMALL], pairs, give_up=0.005, level=1 - 0.05 / 3)
    assert at_a_look.level == pytest.approx(1 - 0.05 / 6)


def test_what_leads_by_more_than_chance_loses_nothing():
    ahead = replace(BIG, mean=0.999)
    found = recommend([ahead, MIDDLE], all_pairs(ahead, MIDDLE), give_up=0.005)
    assert (found.loses_at_most, found.loses_to, found.caution) == (0.0, "middle", "")
    assert found.reason.startswith(
        "It has the highest mean accuracy, 99.90 %, and loses less than 0.01 points to any other "
        "model (one-sided bound of 95 %, 9 seeds, 10,000 test images). "
    )


def test_one_that_fails_keeps_no_smaller_one_back():
    """`near` fails, and its share is lost; `tiny`, with its own, passes."""
    near = Candidate("near", 20_000, 0.981)
    tiny = Candidate("tiny", 1_000, 0.9845)
    pairs = all_pairs(BIG, MIDDLE, near, tiny)
    found = recommend([BIG, MIDDLE, near, tiny], pairs, give_up=0.005)
    assert found.model == "tiny"
    share = log(20) / log(400)
    assert found.loses_at_most == pytest.approx(upper(pairs["big", "tiny"], 0.05 * share))
    barred = recommend([BIG, MIDDLE, near, tiny], pairs, give_up=0.005, barred=["near"])
    assert barred.loses_at_most == pytest.approx(upper(pairs["big", "tiny"], 0.05))


def test_models_of_one_size_share_what_one_of_them_would_have():
    twins = [replace(MIDDLE, name=name, mean=0.983 - 0.0001 * k) for k, name in enumerate("xyz")]
    pairs = all_pairs(BIG, *twins)
    found = recommend([BIG, *twins], pairs, give_up=0.0051)
    assert found.model == "x"
    assert found.loses_at_most == pytest.approx(upper(pairs["big", "x"], 0.05 / 3))


def test_what_is_shown_to_lose_too_much_is_no_obstacle_and_has_no_share():
    tiny = Candidate("tiny", 1_000, 0.9845)
    pairs = all_pairs(BIG, MIDDLE, SMALL, tiny)
    for models, model in (([BIG, SMALL, tiny], tiny), ([BIG, MIDDLE, SMALL], MIDDLE)):
        found = recommend(models, pairs, give_up=0.005)
        assert found.model == model.name
        assert found.loses_at_most == pytest.approx(upper(pairs["big", model.name], 0.05))
    found = recommend([BIG, SMALL], all_pairs(BIG, SMALL), give_up=0.005)
    assert found.reason.endswith(
        ". The smaller small is shown to lose more than the 0.50 points that a smaller model may "
        "lose"
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
    assert found.reason.endswith(". No other tested model has fewer parameters than its 10")


def test_a_smaller_one_that_is_not_to_be_used_is_not_denied():
    pairs = all_pairs(BIG, MIDDLE, SMALL)
    unusable = {
        (): "middle and small are not to be used: each failed",
        ("middle",): "small is not to be used: it",
    }
    for usable, said in unusable.items():
        models = [m for m in (BIG, MIDDLE, SMALL) if m.name not in usable]
        found = recommend(models, pairs, give_up=0.005, barred=["middle", "small"])
        assert found.model == "big"
        assert f". The smaller {said}" in found.reason


def test_equal_sizes_are_decided_by_the_mean():
    twins = [Candidate("one", 20_000, 0.974), SMALL, BIG]
    assert recommend(twins, all_pairs(*twins), give_up=0.02).model == "small"
    equal = [BIG, Candidate("light", 5, 0.985)]
    assert recommend(equal, {("big", "light"): pair_of(0, 0.1)}, give_up=0.005).model == "light"


def test_one_seed_shows_nothing_about_models():
    found = recommend([SMALL, BIG], {}, give_up=0.005)
    assert (found.model, found.loses_at_most, found.loses_to) == ("big", None, None)
    assert (found.level, found.caution, found.shown) == (None, "", False)
    assert found.reason == (
        "big has the highest test accuracy, 98.50 %, but one seed of a model cannot tell a better "
        "model from a lucky run: train at least 3 of each (--seeds 3), better 5"
    )


def test_a_lone_model():
    found = recommend([SMALL], {}, give_up=0.005)
    assert found.model == "small"
    assert found.reason == "It is the only model that was tested (97.50 % correct)"


def test_a_pair_that_is_missing_is_named():
    message = "expected a test of big against small among the pairs, found none"
    with pytest.raises(ValueError, match=f"^{message}$"):
        recommend([BIG, MIDDLE, SMALL], {("middle", "big"): pair_of(0, 1)}, give_up=0.005)


# --- time instead of parameters ---


def by_time(models, **seconds):
    return order({each.name: each.parameters for each in models}, seconds, prefer="time")


def test_where_time_counts_the_fastest_that_passes_is_recommended():
    models = [BIG, MIDDLE, replace(SMALL, mean=0.981)]  # the small one is slow
    pairs = all_pairs(*models)
    order = by_time(models, big=8e-5, middle=2e-5, small=9e-5)
    found = recommend(models, pairs, give_up=0.005, order=order)
    assert (found.model, found.best) == ("middle", "big")
    assert found.loses_at_most == pytest.approx(upper(pairs["big", "middle"], 0.05))
    assert found.reason == (
        "It is correct on 98.30 % of the test images, at 0.02 ms an image; big, at 0.08 ms an "
        "image, is correct on 98.50 %. middle loses less than 0.38 points to any other model "
        "(one-sided bound of 95 %, 9 seeds, 10,000 test images), within the 0.50 allowed"
    )
    order = by_time(models, big=1e-5, middle=2e-5, small=9e-5)
    assert recommend(models, pairs, give_up=0.005, order=order).reason.endswith(
        ". No other tested model is faster (or as fast and smaller) than it, at 0.01 ms an image"
    )


def test_of_models_as_fast_as_the_best_the_smaller_has_the_share_of_a_step_of_ten_percent():
    small = replace(SMALL, mean=0.983)
    pairs = all_pairs(BIG, MIDDLE, small)
    order = by_time([BIG, MIDDLE, small], big=1.05e-5, middle=1e-5, small=0.5e-5)
    found = recommend([BIG, MIDDLE, small], pairs, give_up=0.0042, order=order)
    share = log(1.1) / log(2.2)
    # So the middle one fails, and its share is lost.
    assert upper(pairs["big", "middle"], 0.05 * share) > 0.0042
    assert found.model == "small"
    assert found.loses_at_most == pytest.approx(upper(pairs["big", "small"], 0.05 * (1 - share)))


def test_what_is_faster_and_not_as_good_is_named_so():
    models = [BIG, MIDDLE]
    order = by_time(models, big=2e-5, middle=1e-5)
    found = recommend(models, all_pairs(*models, error=0.003), give_up=0.005, order=order)
    assert (
        ". Nothing faster (or as fast and smaller) is shown to be nearly as good: the nearest to "
        "it, middle (98.30 %), may lose"
    ) in found.reason
    poor = [BIG, SMALL]
    order = by_time(poor, big=2e-5, small=1e-5)
    assert recommend(poor, all_pairs(*poor), give_up=0.005, order=order).reason.endswith(
        ". The faster (or as fast and smaller) small is shown to lose more than the 0.50 points "
        "that a faster model may lose"
    )


def test_where_times_are_missing_the_reason_says_so():
    pairs = all_pairs(BIG, MIDDLE)
    found = recommend([BIG, MIDDLE], pairs, give_up=0.005, order=by_time([BIG, MIDDLE], big=1e-5))
    assert found.model == "middle"
    assert found.reason.endswith(
        "within the 0.50 allowed. Models are ordered by parameters and not by time: the prediction "
        "time of middle was not measured"
    )
