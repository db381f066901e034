"""The report's part about searches.

Oracle: settings made up for the purpose. Cost: 1 s.

Run: pytest tests/report/page/test_search_section.py
"""

from dataclasses import replace
from types import SimpleNamespace

from bakeoff.analysis.tuning import analysed
from bakeoff.recipe.search_space import dimensions
from bakeoff.report import plots
from bakeoff.report.page.search_section import about_budgets, about_curves
from tests.helpers.searches import searched_of


def test_whether_the_ranking_depends_on_the_budget():
    steady = analysed(searched_of([0.90] * 12))
    lucky = analysed(replace(searched_of([0.80] * 9 + [0.99] * 3), model="cnn"))
    assert about_curves([steady, lucky]) == (
        "Median best validation accuracy of 12 settings: mlp 90.00 % and cnn 99.00 %; the ranking "
        "depends on the budget: with one setting mlp has the highest median, from 3 settings on "
        "cnn; the bands overlap, so that order is not shown."
    )
    assert "however many of 12 settings are tried" in about_curves(
        [steady, analysed(replace(searched_of([0.8] * 12), model="cnn"))]
    )
    assert about_curves([steady]) == ""


def test_models_that_lead_together_or_again_are_all_named():
    """The first of equal ones alone was said to lead, or the last one twice."""

    def said(a, b):
        curves = [analysed(replace(searched_of(each), model=n)) for n, each in (("a", a), ("b", b))]
        return about_curves(curves).split("; ", 1)[1]

    assert said([0.9] * 12, [0.9] * 12) == (
        "however many of 12 settings are tried, a and b share the highest median; the bands "
        "overlap, so that order is not shown."
    )
    assert said([0.80] * 6 + [0.85] * 3 + [0.99] * 3, [0.7] * 6 + [0.98] * 6) == (
        "the ranking depends on the budget: with one setting a has the highest median, from "
        "2 settings on b, from 3 settings on a; the bands overlap, so that order is not shown."
    )


def test_equal_budgets_are_said_of_each_model_as_it_is():
    """How many of its settings were different was said of all models as of the first."""

    def said(*searches):
        return about_budgets(SimpleNamespace(searches=searches, models=()))

    a, b = searched_of([0.9] * 3), replace(searched_of([0.9] * 3), model="cnn")
    assert said(a, b) == "Each model had the same budget: 3 settings (random)."
    again = replace(a, tried=(a.tried[0], replace(a.tried[0], number=1), a.tried[2]))
    assert said(again, b) == (
        "Each model had the same budget: mlp 3 settings (random, 2 of them different) and cnn "
        "3 settings (random)."
    )


def test_options_that_begin_and_end_alike_are_told_apart_on_their_axis():
    options = [{"sgd": {"nesterov": way, "momentum": 0.9}} for way in (False, True)]
    space = {"training": {"optimizer": {"choice": options}}}
    values = ({"training.optimizer": which} for which in (0, 1))
    made = searched_of([0.9, 0.8])
    tried = tuple(replace(t, values=v) for t, v in zip(made.tried, values, strict=True))
    searched = replace(made, dimensions=dimensions(space), tried=tried, chosen=tried[0])
    drawn = plots.parallel_coordinates(SimpleNamespace(searches=(searched,)), "mlp")
    labels = drawn.spec["layer"][-1]["data"]["values"]
    assert [each["text"] for each in labels] == [
        "sgd (nesterov false, momentum 0.9)",
        "sgd (nesterov true, momentum 0.9)",
    ]
