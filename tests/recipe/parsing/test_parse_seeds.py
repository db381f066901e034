"""A recipe's seeds: a number, a list, or looks.

Oracle: whole messages. Cost: nothing. Run: pytest tests/recipe/parsing/test_parse_seeds.py
"""

import re

import pytest

from bakeoff.recipe.parsing.parse_seeds import read_looks, read_seeds
from bakeoff.recipe.value_kinds import Misfit


@pytest.mark.parametrize(
    ("raw", "seeds"), [(3, (0, 1, 2)), ("2", (0, 1)), ([7, 3], (7, 3)), (["0"], (0,))]
)
def test_a_number_and_a_list(raw, seeds):
    assert read_seeds(raw) == seeds


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([1, 2, 1], "expected 1 to 1,000 different seeds, found 1 twice"),
        ([], "expected 1 to 1,000 different seeds, found an empty list"),
        (0, "expected a whole number from 1 to 1,000, found 0; a list of seeds is the other form"),
    ],
)
def test_what_seeds_may_not_be(raw, message):
    with pytest.raises(Misfit, match=f"^{re.escape(message)}$"):
        read_seeds(raw)


def test_looks_are_numbers_of_seeds_ascending():
    assert read_looks({"looks": [5, "10", 20]}) == (5, 10, 20)
    with pytest.raises(Misfit, match=r"found \[5, 5\]$"):
        read_looks({"looks": [5, 5]})
