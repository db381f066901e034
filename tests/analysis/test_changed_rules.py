"""What a recipe says now and did not say at the first opening.

Oracle: the words written here. Cost: nothing. Run: pytest tests/analysis/test_changed_rules.py
"""

from types import SimpleNamespace

import pytest

from bakeoff.analysis.changed_rules import changed_rules
from bakeoff.recipe.types import Race

LINE = {
    "margin": 0.002,
    "give_up": 0.005,
    "prefer": "parameters",
    "seeds": [0, 1, 2, 3, 4],
    "baselines": ["majority", "logistic"],
    "race": None,
}
RECIPE = {
    "margin": 0.002,
    "give_up": 0.005,
    "prefer": "parameters",
    "seeds": (0, 1, 2, 3, 4),
    "looks": (),
    "baselines": ("logistic", "majority"),
    "race": None,
    "split": SimpleNamespace(folds=None),
}


def said(recipe=(), *lines):
    return changed_rules(SimpleNamespace(**{**RECIPE, **dict(recipe)}), lines or (LINE,))


def test_the_same_rules_are_no_others():
    assert said() == []
    assert said({"seeds": range(20), "looks": (5, 20)}, {**LINE, "looks": [5, 20]}) == []


def test_what_is_planned_of_cross_validation_are_repeats():
    folds = SimpleNamespace(folds=3)
    assert said({"seeds": range(9), "split": folds}) == ["the repeats are 0–8, and were 0–4"]


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        ({"margin": 0.3}, "margin is 0.3, and was 0.002"),
        ({"give_up": 0.01}, "give_up is 0.01, and was 0.005"),
        ({"prefer": "time"}, "prefer is time, and was parameters"),
        ({"seeds": range(9)}, "the seeds are 0–8, and were 0–4"),
        ({"seeds": range(9), "looks": (5, 9)},
         "the seeds are looked at after 5 and 9, and were 0–4"),
        ({"baselines": ()}, "the baselines are none, and were majority and logistic"),
        ({"race": Race(after=(3, 5))}, "there is a race, and was none"),
    ],
)  # fmt: skip
def test_each_other_rule_is_said_with_both_values(recipe, text):
    assert said(recipe) == [text]


def test_a_race_that_was_changed_added_or_taken_away():
    now, then = {"race": Race(after=(3, 5))}, {**LINE, "race": {"after": [3, 5]}}
    assert said(now, then) == []
    assert said({"race": Race(after=(4, 8))}, then) == [
        "the race looks after 4 and 8, and looked after 3 and 5"
    ]
    assert said(now) == ["there is a race, and was none"]
    assert said((), then) == ["there is no race, and was one that looked after 3 and 5 seeds"]


def test_what_version_0_1_0_did_not_record_is_not_compared():
    assert said({"seeds": range(9), "baselines": ()}, {"opening": 1, "models": {}}) == []
    old = {"opening": 1, "models": {}}
    assert said({"prefer": "time"}, old) == ["prefer is time, and was parameters"]
    assert said((), old, LINE) == []
    assert said({"seeds": range(9)}, old, LINE) == ["the seeds are 0–8, and were 0–4"]
