"""A recipe's race.

Oracle: whole messages. Cost: 1 s.

Run: pytest tests/recipe/parsing/test_parse_race.py
"""

import pytest

from tests.helpers.refused_recipes import refusal


@pytest.mark.parametrize(
    ("race", "changes", "message"),
    [
        ({"after": [2]}, {}, "race.after[1]: expected a whole number from 3 to 1,000, found 2"),
        (
            {"after": [4, 3]},
            {},
            "race.after: expected 1 to 10 different numbers of seeds, ascending, such as [3, 5], "
            "found [4, 3]",
        ),
        ({"looks": [3]}, {}, "race.looks: unknown key; known: after"),
        (3, {}, "race: expected a race such as {after: [3, 5]}, found 3"),
        (
            {"after": [3, 5]},
            {},
            "race.after: expected fewer than the 5 seeds of the study, found 5: with all seeds "
            "trained nothing is left to save",
        ),
        (
            {"after": [3]},
            {"split": {"validation": 0}, "selection": "last"},
            "race: expected validation images, on which a race looks, found split.validation 0: "
            "give some",
        ),
        (
            {"after": [3]},
            {"split": {"folds": 3, "repeats": 5}, "seeds": None},
            "race: expected none beside split.folds, found one: a race takes one split; remove it",
        ),
    ],
)
def test_what_a_race_may_not_say(race, changes, message):
    assert refusal(**{"seeds": 5, "race": race, **changes}) == f"recipe x.yaml, {message}"
