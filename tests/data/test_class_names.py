"""Names of classes: those that look the same are refused.

Oracle: names by hand. Cost: under 1 s. Run: pytest tests/data/test_class_names.py
"""

import re

import numpy as np
import pytest

from bakeoff.data.class_names import checked_class_names
from bakeoff.errors import DataError
from tests.helpers.arrays import from_arrays


@pytest.mark.parametrize("other", ["New\xa0York", "New  York", "New York\u200b", "\ufeffNew York"])
def test_classes_that_look_the_same_are_one_misspelt(other):
    """As labels are that were copied from a page."""
    with pytest.raises(
        DataError, match=r"found 'New York' and .*, which look the same: write them"
    ):
        checked_class_names(["New York", other])


def test_classes_that_differ_in_a_sign_are_two():
    assert len(checked_class_names(["कि", "कु", "क", "New York", "NewYork", "می‌شود", "میشود"])) == 7


def test_classes_that_differ_in_capitals_only_are_one_misspelt():
    words = np.array(["cat", "Cat", "dog", "cat"])
    images = np.full((4, 3, 3), 255, np.uint8)
    message = (
        "expected different class names, found Cat and cat, which differ in capitals only: write "
        "them alike"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        from_arrays("mine", images, words)
    letters = from_arrays("mine", images, np.array(["a", "A", "b", "a"]))  # as EMNIST has them
    assert letters.class_names == ("A", "a", "b")


@pytest.mark.parametrize("names", [["cat", "cat "], ["caf\u00e9", "cafe\u0301"]])
def test_names_that_become_one_say_what_to_do(names):
    message = (
        f"expected different class names, found {names[0]} twice (spaces at the ends and "
        "Unicode's forms make no difference): rename one, or put the two together"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        checked_class_names(names)


def test_a_ligature_is_no_capital():
    with pytest.raises(DataError, match="found \ufb01sh and fish, which are one word: write them"):
        checked_class_names(["\ufb01sh", "fish"])
