"""Arithmetic that must come out alike wherever a number is shown.

Oracle: means as fractions of whole numbers. Cost: none.

Run: pytest tests/utils/test_numbers.py
"""

from fractions import Fraction

from bakeoff.utils.numbers import mean_of_known


def test_a_mean_is_rounded_once_whatever_the_order():
    """Two functions gave a trial's mean seconds, and differed in the last digit."""
    values = [0.1, 0.2, 0.3, 7.7, 1e6]
    exact = float(sum(map(Fraction, values)) / len(values))
    assert mean_of_known(values) == mean_of_known([*values[::-1], None]) == exact


def test_of_nothing_known_there_is_no_mean():
    assert mean_of_known([]) is None and mean_of_known([None, None]) is None
