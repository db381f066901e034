"""A searched model with one of its settings.

Oracle: the same model written without choices. Cost: 1 s.
Run: pytest tests/recipe/test_apply_setting.py
"""

import pytest

from bakeoff.recipe.apply_setting import with_setting, with_settings
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
