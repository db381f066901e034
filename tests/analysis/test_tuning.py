"""What is said of searches, on settings made up for the purpose.

The oracle: order statistics and the inequality of Dvoretzky, Kiefer and Wolfowitz by hand; a search
whose score follows one choice and not the other. Cost: 3 s. Run:

    .venv/bin/pytest tests/analysis/test_tuning.py
"""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from bakeoff.analysis import tuning
from bakeoff.analysis.checks.searches import best_at_edge, settings_alike
from bakeoff.analysis.tuning import analysed, budget_words, unequal_budgets
from bakeoff.recipe.search_space import dimensions
from bakeoff.report.words import about_search
from bakeoff.storage.search_folder import Opening, Tried
from tests.helpers.plans import recipe_of
from tests.helpers.searches import DROP, RATE, SPACE, UNITS, searched_of

RECIPE = recipe_of({"mlp": SPACE}, search={"settings": 3})


def test_a_search_says_what_it_is_in_one_line():
    assert repr(searched_of([0.9, 0.8])) == "<Searched mlp: 2 settings>"


def test_the_curve_is_the_median_of_the_largest_of_n_and_its_band_that_of_the_distribution():
    scores = np.linspace(0.80, 0.98, 19)
    curve = analysed(searched_of(scores)).curve
    ordered = np.sort(scores)
    error = np.sqrt(np.log(2 / 0.05) / (2 * 19))
    for n in (1, 2, 7, 19):  # the median of the largest of n is the quantile 0.5^(1/n)
        quantile = 0.5 ** (1 / n)
        assert curve.median[n - 1] == ordered[int(np.ceil(19 * quantile)) - 1]
        below, above = quantile - error, quantile + error
        low = 0.0 if below <= 0 else ordered[int(np.ceil(19 * below)) - 1]
        high = 1.0 if above > 1 else ordered[int(np.ceil(19 * above)) - 1]
        assert (curve.low[n - 1], curve.high[n - 1]) == pytest.approx((low, high))
    assert curve.settings == 19


def test_a_band_needs_settings_that_were_drawn_independently():
    scores = list(np.linspace(0.8, 0.9, 20))
    budget = {"settings": 20, "pruning": "none", "seed": 0}
    tpe = searched_of(scores, budget={**budget, "sampler": "tpe"})
    assert analysed(tpe).curve.settings == 10  # its first ten were drawn at random
    middle = searched_of([0.99, *scores], budget=tpe.budget, opening=Opening(1))
    assert analysed(middle).curve == analysed(tpe).curve  # ten of them, after the first
    every_third = [0.99] * 3 + [each for score in scores[:10] for each in (score, 0.98, 0.98)]
    probes = searched_of(every_third, budget=tpe.budget, opening=Opening(3, every=3))
    assert analysed(probes).curve == analysed(tpe).curve  # every third one after three
    assert analysed(searched_of(scores, budget={**budget, "sampler": "grid"})).curve is None
    assert analysed(searched_of(scores[:4])).curve is None


def test_the_choice_that_the_score_follows_is_the_important_one(rng):
    shares = rng.random((30, 2))

    def values(k):
        return {RATE: 0.0001 * 1000 ** float(shares[k, 0]), UNITS: 8 + int(56 * shares[k, 1])}

    scores = 0.95 - 0.3 * np.abs(shares[:, 0] - 0.6)
    searched = analysed(searched_of(scores, values=values))
    first, *others = searched.importance
    assert first.name == "learning_rate" and first.value > 0.8
    assert {each.name for each in others} == {"units", "dropout"}
    assert analysed(searched_of(scores[:9])).importance is None


def test_the_interval_of_an_importance_holds_the_middle_nine_tenths(monkeypatch):
    values = iter([0.5, *np.linspace(0, 1, 40)])

    def drawn(dims, tried):
        return dict.fromkeys([each.place for each in dims], next(values))

    monkeypatch.setattr(tuning, "_ped_anova", drawn)
    found = analysed(searched_of([0.9] * 12)).importance
    assert len(found) == 3
    for each in found:
        assert (each.value, each.low, each.high) == pytest.approx((0.5, 0.05, 0.95))


def test_settings_are_told_apart_by_the_exact_mcnemar_test(monkeypatch):
    right = np.ones((3, 40), bool)
    right[1, :5] = right[2, :6] = False  # p = 2/32 and 2/64
    monkeypatch.setattr(tuning, "validation_correct", lambda at, labels, k: right[int(at.name)])
    monkeypatch.setattr(tuning, "read_split", lambda folder: {"validation_labels": None})
    folder = SimpleNamespace(read_study=lambda: {"data": {"class_names": ()}})
    search = SimpleNamespace(
        trial=lambda k: SimpleNamespace(name=str(k), exists=lambda: True), read_trial=lambda k: {}
    )
    tried = searched_of([0.97] * 3).tried
    assert tuning._as_good(folder, search, tried, tried[0]) == 1


def test_settings_that_were_stopped_are_not_counted_among_those_compared():
    """ "6 other settings" stood there of 13, and "1 of the 1 other setting are"."""

    def said(searched):
        found = settings_alike(
            SimpleNamespace(name="mlp"), SimpleNamespace(searched=lambda name: searched)
        )
        return found.text

    searched = searched_of([0.97] * 4, as_good=2)
    told = "not told from the chosen one by predictions of the validation images."
    assert said(searched) == (
        f"2 of the 3 other settings of mlp that were trained to the end are {told}"
    )
    stopped = tuple(replace(each, state="pruned") for each in searched.tried[2:])
    fewer = replace(searched, tried=(*searched.tried[:2], *stopped), as_good=1)
    assert said(fewer) == f"The other setting of mlp that was trained to the end is {told}"


def test_a_value_near_the_end_of_a_range_lies_at_its_edge():
    dims = dimensions(SPACE)
    near = Tried(0, {RATE: 0.00013, UNITS: 63, DROP: 0.03})  # shares 0.04, 0.98 and 0.06
    assert [(each.name, each.end) for each in tuning._edges(dims, near, RECIPE, "mlp")] == [
        ("learning_rate", "lowest"),
        ("units", "highest"),
    ]
    at_end = Tried(0, {RATE: 0.0001, UNITS: 63, DROP: 0.2})
    searched = searched_of([0.9], edges=tuple(tuning._edges(dims, at_end, RECIPE, "mlp")))
    found = best_at_edge(
        SimpleNamespace(name="mlp"), SimpleNamespace(searched=lambda name: searched)
    )
    assert found.text == (  # 63 was "the highest of 8 to 64"
        "The best setting of mlp lies at the edge of what was searched: learning_rate 0.0001, the "
        "lowest of 0.0001 to 0.1 (log) and units 63, in the highest 5 % of 8 to 64."
    )
    inside = Tried(0, {**near.values, RATE: 0.01, UNITS: 30})
    assert list(tuning._edges(dims, inside, RECIPE, "mlp")) == []


@pytest.mark.parametrize(
    ("layer", "value", "end"),
    [
        ({"dropout": {"uniform": [0, 0.5]}}, 0.01, None),  # none is below 0
        ({"dropout": {"uniform": [0, 0.5]}}, 0.49, "highest"),
        ({"dropout": {"uniform": [0.1, 0.99]}}, 0.99, None),  # nor above 1
        ({"dropout": {"uniform": [0.1, 0.5]}}, 0.11, "lowest"),
        ({"dense": {"units": {"whole": [1, 8]}}}, 1, None),
        ({"dense": {"units": {"whole": [2, 8]}}}, 2, "lowest"),
        ({"repeat": {"whole": [0, 3], "layers": ["elu"]}}, 0, None),
        ({"repeat": {"whole": [1, 3], "layers": ["elu"]}}, 1, "lowest"),
    ],
)
def test_a_range_that_cannot_be_wider_has_no_edge_there(layer, value, end):
    recipe = recipe_of({"mlp": {"layers": [layer]}}, search={"settings": 3})
    (dim,) = recipe.models["mlp"].search.dimensions
    found = list(tuning._edges([dim], Tried(0, {dim.place: value}), recipe, "mlp"))
    assert [each.end for each in found] == ([end] if end else [])


def test_without_the_extra_the_rest_is_said_and_the_library_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "opda", None)
    monkeypatch.setitem(sys.modules, "opda.nonparametric", None)
    searched = analysed(searched_of([0.9] * 12))
    assert searched.curve is searched.importance is None
    assert searched.lacking == "opda.nonparametric"
    assert about_search.chosen(searched)


def test_how_much_the_search_flatters():
    searched = searched_of([0.97, 0.9], fresh=(0.95, 0.96))
    assert searched.flatters == pytest.approx(0.015)
    assert about_search.flattery(searched) == (
        "In the search it scored 97.00 % on validation; trained afresh 95.50 %, mean of 2 seeds "
        "(95.00 % to 96.00 %): the search showed 1.50 points more than it holds on the same "
        "images. A best score reported without this step flatters by that."
    )
    assert about_search.flattery(searched_of([0.97])) == ""


def test_a_search_that_showed_less_than_its_choice_holds_is_not_said_to_flatter():
    """The sentence about flattery stood under 8.45 points less, too."""
    assert about_search.flattery(searched_of([0.95], fresh=(0.96, 0.98))) == (
        "In the search it scored 95.00 % on validation; trained afresh 97.00 %, mean of 2 seeds "
        "(96.00 % to 98.00 %): the search showed 2.00 points less than it holds on the same images."
    )
    equal = about_search.flattery(searched_of([0.95], fresh=(0.95,)))
    assert equal.endswith("showed 0.00 points more than it holds on the same images.")


def test_budgets_that_differ_are_said_and_equal_ones_are_not():
    a, b = searched_of([0.9] * 3), replace(searched_of([0.9] * 3), model="cnn")
    assert unequal_budgets([a, b], []) == ""
    assert unequal_budgets([a], ["line"]) == "mlp: 3 settings (random); line: none, as declared"
    longer = replace(b, budget={**b.budget, "sampler": "tpe", "minutes": 30, "pruning": "median"})
    assert budget_words(longer) == "3 settings (tpe, median pruning, 30 minutes)"
    short = replace(b, budget={**b.budget, "minutes": 1})
    assert budget_words(short) == "3 settings (random, 1 minute)"
    assert unequal_budgets([a, longer], []).startswith("mlp: 3 settings (random); cnn: ")
