"""A recipe's data set, loaded and split, and what is refused of the two together.

Oracle: whole messages. Cost: 1 s. Run: pytest tests/study/create/test_load_split.py
"""

import re
from dataclasses import replace

import numpy as np
import pytest

from bakeoff.data import load
from bakeoff.errors import DataError, RecipeError
from bakeoff.study.create import load_split
from tests.helpers.small import declare


@pytest.fixture
def with_validation(npz):
    """The small data set with a validation part of its own."""
    return replace(load(declare(npz).data), validation_start=100)


def test_the_parts_are_those_of_the_data(npz, with_validation):
    data, split = load_split(declare(npz), with_validation)
    assert [len(part) for part in split.parts().values()] == [100, 20, 90]
    assert data.notes[-1] == "validation is the data's own part; split.validation is not used"


def test_without_validation_its_own_part_is_for_training(npz, with_validation):
    recipe = declare(npz, split={"validation": 0}, selection="last")
    data, split = load_split(recipe, with_validation)
    assert [len(part) for part in split.parts().values()] == [120, 0, 90]
    assert data.notes[-1] == (
        "split.validation is 0: the data's own validation part is for training"
    )


@pytest.mark.parametrize("part", ["test", "validation"])
def test_folds_of_data_with_a_part_of_its_own_are_refused(npz, part):
    recipe = declare(npz, split={"folds": 3, "repeats": 3}, seeds=None)
    whole = replace(load(recipe.data), test_start=None)
    message = (
        f"split.folds: expected data without a {part} part of its own, found small, which has "
        "one: take folds out of the split, or give all images as one part"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load_split(recipe, replace(whole, **{f"{part}_start": 120}))


def test_a_weight_of_a_class_that_the_data_lack_is_refused(npz):
    training = {"epochs": 1, "class_weight": {"0": 2, "7": 3}}
    recipe = declare(npz, models={"net": {"layers": []}}, training=training)
    message = "models.net.training.class_weight: expected classes of the data (0, 1, 2), found '7'"
    with pytest.raises(RecipeError, match=f"^{re.escape(message)}$"):
        load_split(recipe)


def test_equal_data_and_recipe_have_one_split(npz):
    recipe = declare(npz)
    (_, one), (_, other) = load_split(recipe), load_split(recipe)
    assert one.hash == other.hash
    assert np.array_equal(one.validation, other.validation)
