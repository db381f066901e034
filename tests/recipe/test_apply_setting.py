"""A searched model with one of its settings.

Oracle: the same model written without choices. Cost: 1 s.
Run: pytest tests/recipe/test_apply_setting.py
"""

import pytest

from bakeoff.errors import RecipeError
from bakeoff.recipe.apply_setting import most, with_networks, with_setting, with_settings
from bakeoff.recipe.architecture import describe
from bakeoff.recipe.search_space import dimensions
from tests.helpers.refused_recipes import declare

SEARCHED = {"search": {"settings": 3}, "layers": [{"dense": {"units": {"whole": [8, 64]}}}]}


@pytest.fixture
def recipe():
    return declare(models={"mine": SEARCHED, "other": {"layers": []}})


def setting(recipe, units):
    (one,) = dimensions(recipe.models["mine"].search.space)
    return {one.place: units}


def test_a_setting_makes_an_ordinary_model_that_remembers_its_search(recipe):
    found = with_setting(recipe, "mine", setting(recipe, 24))
    plain = declare(models={"mine": {"layers": [{"dense": 24}]}}).models["mine"]
    assert found.layers == plain.layers and found.training == plain.training
    assert found.search == recipe.models["mine"].search


def test_the_other_models_stay_as_they_are(recipe):
    found = with_settings(recipe, {"mine": setting(recipe, 24)})
    assert found.models["other"] is recipe.models["other"]
    assert with_settings(recipe, {}).models == recipe.models


def test_a_model_without_a_search_has_no_setting(recipe):
    with pytest.raises(ValueError, match=r"^other leaves no choice open$"):
        with_setting(recipe, "other", {})


def pooled(*sizes):
    layers = [{"conv2d": {"filters": 2, "kernel_size": 3}}, {"max_pooling2d": {"choice": [*sizes]}}]
    layers.append({"conv2d": {"filters": 2, "kernel_size": 2}})
    return declare(models={"mine": {"search": {"settings": 3}, "layers": layers}})


def test_where_the_middle_makes_no_network_another_setting_stands_for_the_search():
    recipe = pooled(2, 5, 6)
    with pytest.raises(RecipeError):
        describe(recipe.models["mine"], (8, 8, 1), 10)
    found = with_networks(recipe, (8, 8, 1), 10).models["mine"]
    assert found.layers[1].arguments["pool_size"] == (2, 2)
    assert found.search == recipe.models["mine"].search
    assert with_networks(recipe, (28, 28, 1), 10) == recipe


def test_where_no_setting_makes_a_network_its_choices_are_named():
    with pytest.raises(RecipeError) as caught:
        with_networks(pooled(4, 5, 6), (8, 8, 1), 10)
    assert str(caught.value) == (
        "models.mine: expected choices of which some make a network, found none in 100 settings; "
        "in the middle of all: conv2d 2 2×2 after a 1×1 feature map in layer 3 of mine: expected "
        "at least 2×2; remove the layer, or shrink less before it (padding: same)"
    )


def test_a_middle_that_cannot_be_declared_is_only_one_setting_less():
    phases = [{"epochs": {"whole": [4, 20]}, "constant": 0.1}, {"constant": 0.01}]
    training = {
        "epochs": {"choice": [30, 5, 10]},  # 10 with 12 in a phase is the middle
        "optimizer": {"adam": {"learning_rate": phases}},
    }
    found = declare(models={"mine": {**SEARCHED, "training": training}}).models["mine"]
    assert found.training.epochs == 30
    assert found.search is not None


def test_the_largest_setting_is_looked_for_where_the_middle_makes_no_network():
    """Of three kernels of 5×5 no 8×8 image is left, nor of two: it was said to take 0 bytes."""
    kernel = {"conv2d": {"filters": 2, "kernel_size": {"whole": [1, 9]}}}
    model = {"search": {"settings": 3}, "layers": [kernel] * 3}
    recipe = declare(models={"mine": model})
    assert most(recipe, "mine", lambda each: describe(each, (8, 8, 1), 10).parameters) > 100
