"""Recipes as values: complete, frozen, the same after a round trip through JSON.

Oracle: equality. Cost: 1 s.

Run: pytest tests/recipe/test_types.py
"""

import pytest
from hypothesis import given, settings

from bakeoff.recipe import (
    Layer,
    ModelRecipe,
    Optimizer,
    Recipe,
)
from tests.helpers.recipes_strategy import recipes
from tests.helpers.refused_recipes import declare


def test_a_part_directly_made_is_complete_too():
    assert Layer(kind="dense", arguments={"units": 3}).arguments["kernel_initializer"]
    assert Optimizer(kind="sgd").learning_rates(2).tolist() == [0.01, 0.01]
    model = ModelRecipe(name="m", layers=(Layer(kind="flatten"),), training=declare().training)
    assert model.output["use_bias"] is True
    with pytest.raises(ValueError, match="expected a layer's kind"):
        Layer(kind="dens")
    with pytest.raises(ValueError, match="expected an optimizer's kind"):
        Optimizer(kind="adm")


@settings(max_examples=50, deadline=None)
@given(recipe=recipes(max_epochs=3))
def test_a_model_survives_json(recipe):
    for model in recipe.models.values():
        assert ModelRecipe.model_validate_json(model.model_dump_json()) == model
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_a_recipe_does_not_change():
    recipe = declare()
    with pytest.raises(ValueError, match="frozen"):
        recipe.name = "y"
