"""By what one model is less than another: parameters, or time.

Oracle: classes of equally fast models by hand. Cost: nothing.

Run: pytest tests/analysis/test_preference.py
"""

import pytest

from bakeoff.analysis.preference import frontier, order

PARAMETERS = {"a": 400, "b": 300, "c": 200, "d": 100, "e": 0}
SECONDS = {"a": 2.2e-5, "b": 1.0e-5, "c": 1.09e-5, "d": 1.11e-5, "e": 1.2e-5}


def cheapest_first(by):
    return sorted(PARAMETERS, key=by.key)


def test_parameters_are_the_default_order():
    by = order(PARAMETERS, SECONDS, prefer="parameters")
    assert (by.by_time, by.cost("a"), by.cost("e"), by.missing) == (False, 400, 1, "")
    assert cheapest_first(by) == ["e", "d", "c", "b", "a"]
    assert by.text("a") == "400 parameters"


def test_times_within_ten_percent_are_equal_and_then_the_smaller_comes_first():
    by = order(PARAMETERS, SECONDS, prefer="time")
    assert by.by_time
    assert [by.cost(name) for name in "bcdea"] == [1.0e-5, 1.0e-5, 1.11e-5, 1.11e-5, 2.2e-5]
    assert cheapest_first(by) == ["c", "b", "e", "d", "a"]
    assert by.text("a") == "0.022 ms an image"


@pytest.mark.parametrize(
    ("seconds", "studies", "missing"),
    [
        ({**SECONDS, "b": None}, 1, "the prediction time of b was not measured"),
        ({}, 1, "the prediction time of a, b, c and 2 more was not measured"),
        (SECONDS, 2, "times of several studies were not measured together"),
    ],
)
def test_without_times_parameters_are_the_order_and_it_is_said_why(seconds, studies, missing):
    by = order(PARAMETERS, seconds, prefer="time", studies=studies)
    assert (by.by_time, by.prefer, by.missing) == (False, "time", missing)
    assert cheapest_first(by) == ["e", "d", "c", "b", "a"]


def test_the_frontier_holds_what_nothing_cheaper_equals():
    points = [("a", 1.0, 0.5), ("b", 2.0, 0.5), ("c", 2.0, 0.7), ("d", 3.0, 0.6), ("e", 9.0, 0.8)]
    assert frontier(points) == ["a", "c", "e"]
