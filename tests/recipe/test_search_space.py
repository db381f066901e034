"""Choices in models: found where they stand, filled in, named; and what is refused, word for word.

The oracle is the model that one would write by hand with the values of a setting. Cost: 1 s. Run:

    .venv/bin/pytest tests/recipe/test_search_space.py
"""

from pathlib import Path

import pytest

from bakeoff import recipe as recipes
from bakeoff.recipe.apply_setting import with_setting
from bakeoff.recipe.dimension import short_names, taken
from bakeoff.recipe.search_space import dimensions, filled, has_choices

ADAM = {"adam": {"learning_rate": {"log": [0.0001, 0.01]}}}
SGD = {"sgd": {"learning_rate": {"log": [0.01, 1.0]}, "momentum": {"uniform": [0, 0.9]}}}
MODEL = {
    "training": {"batch_size": {"choice": [32, 64]}, "optimizer": {"choice": [ADAM, SGD]}},
    "layers": [
        {
            "repeat": {
                "whole": [0, 2],
                "layers": [{"dense": {"units": {"whole": [8, 64]}}}, {"dropout": 0.1}],
            }
        },
        {"choice": ["flatten", {"dense": 16}]},
    ],
}
RATE = "training.optimizer.choice[1].adam.learning_rate"
SETTING = {
    "training.batch_size": 1,
    "training.optimizer": 0,
    RATE: 0.002,
    "layers[1].repeat": 2,
    "layers[1].repeat.layers[1].dense.units": 12,
    "layers[2]": 1,
}


def _recipe(model, **changes):
    raw = {"name": "small", "data": "digits", "models": {"mlp": model}, **changes}
    return recipes.parse(raw, origin="small", folder=Path("/somewhere"))


def test_a_setting_fills_the_model_as_one_would_write_it():
    block = [{"dense": {"units": 12}}, {"dropout": 0.1}]
    assert filled(MODEL, SETTING) == {
        "training": {"batch_size": 64, "optimizer": {"adam": {"learning_rate": 0.002}}},
        "layers": [*block, *block, {"dense": 16}],
    }
    none = {key: each for key, each in SETTING.items() if not key.startswith("layers[1].repeat.")}
    none["layers[1].repeat"] = 0  # with which samplers leave out what is inside
    assert filled(MODEL, none)["layers"] == [{"dense": 16}]


@pytest.mark.parametrize(
    ("which", "layers"), [(0, []), (1, ["flatten"]), (2, ["flatten", {"dense": 8}])]
)
def test_one_layer_may_stand_beside_several_and_none_in_a_choice(which, layers):
    """Read as one layer, no layers were "one layer, found an empty list"."""
    raw = {"layers": [{"choice": [[], "flatten", ["flatten", {"dense": 8}]]}, {"dense": 4}]}
    assert filled(raw, {"layers[1]": which}) == {"layers": [*layers, {"dense": 4}]}


def test_choices_are_found_with_what_they_depend_on():
    dims = dimensions(MODEL)
    assert [each.place for each in dims] == [
        "training.batch_size",
        "training.optimizer",
        RATE,
        "training.optimizer.choice[2].sgd.learning_rate",
        "training.optimizer.choice[2].sgd.momentum",
        "layers[1].repeat",
        "layers[1].repeat.layers[1].dense.units",
        "layers[2]",
    ]
    kept = [each.place for each in taken(dims, SETTING)]
    assert kept == list(SETTING)
    none = [each.place for each in taken(dims, {**SETTING, "layers[1].repeat": 0})]
    assert "layers[1].repeat.layers[1].dense.units" not in none
    assert short_names(dims) == {
        "training.batch_size": "batch_size",
        "training.optimizer": "optimizer",
        RATE: "adam.learning_rate",
        "training.optimizer.choice[2].sgd.learning_rate": "sgd.learning_rate",
        "training.optimizer.choice[2].sgd.momentum": "momentum",
        "layers[1].repeat": "repeat",
        "layers[1].repeat.layers[1].dense.units": "units",
        "layers[2]": "layers[2]",
    }


def test_choices_in_a_block_that_is_never_left_out_depend_on_nothing():
    """The importance of choices left them out, as if they stood in an option."""
    layers = [{"dense": {"units": {"whole": [8, 64]}}}]
    for low, when in ((1, ()), (0, (("layers[1].repeat", None),))):
        repeat = {"repeat": {"whole": [low, 2], "layers": layers}}
        assert [each.when for each in dimensions({"layers": [repeat]})] == [(), when]


def test_only_lists_make_choices():
    assert not has_choices({"training": {"class_weight": {"log": 2.0, "choice": 1.0}}})
    assert not has_choices({"training": {"class_weight": {"whole": 2.0}}})
    assert has_choices({"layers": [{"dense": {"units": {"whole": [1, 2]}}}]})


def test_a_searched_recipe_is_read_again_from_what_it_resolves_to():
    recipe = _recipe(MODEL, search={"settings": 7, "sampler": "qmc"})
    model = recipe.models["mlp"]
    assert model.search.budget() == {
        "settings": 7,
        "sampler": "qmc",
        "pruning": "none",
        "seed": 0,
    }
    again = recipes.parse(recipe.resolved(), origin="again", folder=Path("/elsewhere"))
    assert again == recipe
    chosen = with_setting(recipe, "mlp", SETTING)
    assert chosen.training.batch_size == 64
    assert [layer.kind for layer in chosen.layers] == ["dense", "dropout"] * 2 + ["dense"]
    assert chosen.search == model.search
    own = _recipe({**MODEL, "search": {"settings": 3}}, search={"settings": 7, "seed": 5})
    assert (own.models["mlp"].search.settings, own.models["mlp"].search.seed) == (3, 5)


def test_a_whole_model_may_be_a_choice():
    options = [{"layers": [{"dense": 4}]}, {"layers": [], "training": {"epochs": 3}}]
    recipe = _recipe({"choice": options, "search": {"settings": 2, "sampler": "grid"}})
    assert with_setting(recipe, "mlp", {"": 1}).training.epochs == 3
    assert recipes.parse(recipe.resolved(), origin="again", folder=Path("/")) == recipe


def test_the_study_s_training_is_laid_under_a_setting_and_python_keeps_its_path():
    recipe = _recipe(MODEL, training={"epochs": 7, "label_smoothing": 0.1})
    assert with_setting(recipe, "mlp", SETTING).training.epochs == 7
    python = {"python": "mine.py:build", "training": {"epochs": {"whole": [2, 4]}}}
    model = _recipe(python).models["mlp"]
    assert model.search.space["python"] == "/somewhere/mine.py:build"
