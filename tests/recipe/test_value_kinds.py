"""What a value of a recipe may be, and how it is read.

Oracle: canonical values and whole messages, by hand. Cost: nothing.

Run: pytest tests/recipe/test_value_kinds.py
"""

import pytest

from bakeoff.recipe.value_kinds import (
    Axes,
    Choice,
    Flag,
    Misfit,
    Number,
    Pair,
    Regularizer,
    Whole,
    inside,
    unknown_key,
)


def misfit(value):
    raise Misfit(f"expected less, found {value}", inside="[2]")


def test_a_misfit_says_where_inside_it_was():
    with pytest.raises(Misfit, match=r"^expected less, found 9$") as caught:
        inside(".after", misfit, 9)
    assert caught.value.inside == ".after[2]"


def test_an_unknown_key_is_told_with_those_that_are_known():
    found = unknown_key("a b", ("l1", "l2"))
    assert (str(found), found.inside) == ("unknown key; known: l1, l2", ".'a b'")


@pytest.mark.parametrize(
    ("kind", "value", "read"),
    [
        (Whole(1, 10), "10", 10),
        (Whole(1, 10**6), "1_000", 1000),
        (Number(0, 1), "1e-3", 0.001),
        (Number(0, 1), ".5", 0.5),
        (Number(0, 1), 1, 1.0),
        (Number(-1, 1), -0.0, 0.0),
        (Choice(("a", "b"), null="b"), None, "b"),
        (Flag(), False, False),
        (Pair(1, 9), 3, (3, 3)),
        (Pair(1, 9), [2, "3"], (2, 3)),
        (Axes(), [2, 1], (1, 2)),
        (Axes(), 3, (3,)),
        (Regularizer(), {"l2": 1, "l1": "1e-2"}, {"l1": 0.01, "l2": 1.0}),
        (Regularizer(), {"l2": 0, "l1": 0.5}, {"l1": 0.5}),
        (Regularizer(), {"l2": 0}, None),
    ],
)
def test_a_value_is_read_to_its_canonical_form(kind, value, read):
    assert kind.read(value) == read
    assert type(kind.read(value)) is type(read)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (Whole(1, 10), 11, "expected a whole number from 1 to 10, found 11"),
        (Whole(1, 10), True, "expected a whole number from 1 to 10, found true"),
        (Whole(1, 10), 2.0, "expected a whole number from 1 to 10, found 2.0"),
        (Whole(1, 10), "08", "expected a whole number from 1 to 10, found '08'"),
        (
            Whole(1, 10**6),
            10**400,
            "expected a whole number from 1 to 1,000,000, found a very large number",
        ),
        (Number(0, 1), float("nan"), "expected a number from 0 to 1, found nan"),
        (Number(0, 1), 10**400, "expected a number from 0 to 1, found a very large number"),
        (Number(0, 1, above=True), 0, "expected a number above 0 up to 1, found 0"),
        (Number(0, 1, below=True), 1, "expected a number from 0 to below 1, found 1"),
        (Number(0, 1, above=True, below=True), 2, "expected a number above 0 and below 1, found 2"),
        (Number(0), "x", "expected a number from 0 up, found 'x'"),
        (Number(0, above=True), -1, "expected a number above 0, found -1"),
        (Number(), {}, "expected a number, found an empty mapping"),
        (Flag(), "no", "expected true or false, found 'no'"),
        (Pair(1, 9), [1],
         "expected a whole number from 1 to 9, or [height, width], found [1]"),
        (Axes(), [1, 1], "expected a list of different axes from 1 to 3, found [1, 1]"),
        (Axes(), [], "expected a list of different axes from 1 to 3, found an empty list"),
        (Regularizer(), "l2", "expected {l1: factor}, {l2: factor} or both, found 'l2'"),
        (Regularizer(), {"l3": 1}, "unknown key; known: l1, l2"),
        (Regularizer(), {"l1": -1}, "expected a number from 0 to 1,000,000, found -1"),
        (Choice(("valid", "same"), "a padding"), "smae",
         "expected a padding (valid, same), found 'smae'; did you mean same?"),
        (Choice(("valid", "same"), "a padding"), None,
         "expected a padding (valid, same), found nothing"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_says_why(kind, value, message):
    with pytest.raises(Misfit) as caught:
        kind.read(value)
    assert str(caught.value) == message
