"""A recipe's split: parts, folds and repeats.

Oracle: the grammar of docs/recipe.md written out by hand. Cost: 1 s.

Run: pytest tests/recipe/parsing/test_parse_split.py
"""

from pathlib import Path

import pytest
import yaml

from bakeoff.data.split import Part
from bakeoff.recipe import (
    dump,
    parse,
)
from tests.helpers.refused_recipes import declare, refusal


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (10000, Part(amount=10000)),
        ("0.25", Part(amount=0.25)),
        ({"first": 5000}, Part(amount=5000, taken="first")),
        ({"last": 0.2}, Part(amount=0.2, taken="last")),
    ],
)
def test_validation(written, read):
    assert declare(split={"validation": written}).split.validation == read


def test_no_validation_goes_with_the_last_epoch():
    recipe = declare(split={"validation": 0}, selection="last")
    assert recipe.split.validation == Part(amount=0)
    assert refusal(split={"validation": 0.0}) == (
        "recipe x.yaml, split.validation: expected validation images, since selection is "
        "best-loss, found 0: give some, or write selection: last"
    )


def test_folds_take_the_place_of_test_and_seeds():
    recipe = declare(split={"folds": 5})
    assert (recipe.split.folds, recipe.seeds) == (5, (0, 1, 2, 3, 4))
    recipe = declare(split={"folds": 10, "repeats": 3, "validation": 0.1, "seed": 7})
    assert (recipe.split.folds, recipe.seeds) == (10, (0, 1, 2))
    resolved = recipe.resolved()
    assert resolved["split"] == {"folds": 10, "repeats": 3, "validation": 0.1, "seed": 7}
    assert "seeds" not in resolved
    assert parse(resolved, origin="again", folder=Path("/studies")) == recipe
    assert parse(yaml.safe_load(dump(recipe)), origin="again", folder=Path("/")) == recipe


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"split": {"folds": 1}},
            "split.folds: expected a whole number from 2 to 100, found 1",
        ),
        (
            {"split": {"folds": 5, "repeats": 0}},
            "split.repeats: expected a whole number from 1 to 1,000, found 0",
        ),
        (
            {"split": {"repeats": 5}},
            "split: expected folds beside repeats, found none: write {folds: 5, repeats: 5}",
        ),
        (
            {"split": {"folds": 5, "test": 0.2}},
            "split: expected either folds or test, found both: with folds every image is tested "
            "once a repeat; leave test out",
        ),
        (
            {"split": {"folds": 5, "validation": {"first": 10}}},
            "split: expected validation as a count or a fraction beside folds, found first: it is "
            "drawn from the training folds",
        ),
        (
            {"split": {"folds": 5}, "seeds": 3},
            "seeds: expected no seeds beside split.folds, where seed r trains repeat r, found "
            "some: write split.repeats instead",
        ),
    ],
)
def test_what_makes_no_sense_with_folds_is_refused(changes, message):
    assert refusal(**changes) == f"recipe x.yaml, {message}"
