"""Choices in models: found where they stand, filled in, named; and what is refused, word for word.

The oracle is the model that one would write by hand with the values of a setting. Cost: 1 s. Run:

    .venv/bin/pytest tests/recipe/test_search_space.py
"""

from pathlib import Path

import pytest

from bakeoff import recipe as recipes
from bakeoff.recipe.apply_setting import with_setting
from bakeoff.recipe.search_space import (
    dimensions,
    filled,
    has_choices,
    largest,
    middle,
    most_settings,
    quicker,
    short_names,
    taken,
)

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


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ({"log": [0.0001, 0.01]}, 0.001),
        ({"uniform": [0, 0.5]}, 0.25),
        ({"whole": [1, 3]}, 2),
        ({"whole": [1, 4]}, 2),
        ({"choice": [64, 128, 256]}, 128),
        ({"choice": [1024, 128, 512, 256]}, 256),
        ({"choice": ["adam", "sgd", "rmsprop"]}, "adam"),
        ({"choice": [True, False]}, True),
        ({"choice": [1, "none", 3]}, 1),
    ],
)
def test_the_middle_of_a_choice(choice, value):
    dims = dimensions({"here": choice})
    assert filled({"here": choice}, middle(dims)) == {"here": value}


@pytest.mark.parametrize(
    ("choice", "value"),
    [
        ({"log": [0.0001, 0.01]}, 0.00316228),
        ({"uniform": [0, 0.4]}, 0.3),
        ({"choice": [0.1, 0.001, 0.01]}, 0.1),
        ({"choice": [0.1, 0.001, 0.01, 0.03, 1]}, 0.1),
    ],
)
def test_a_higher_learning_rate_and_nothing_else_moves_up(choice, value):
    raw = {"optimizer": {"adam": {"learning_rate": choice}}, "dropout": {"uniform": [0, 0.5]}}
    wanted = {"optimizer": {"adam": {"learning_rate": value}}, "dropout": 0.25}
    assert filled(raw, quicker(dimensions(raw))) == wanted


def test_the_largest_network_takes_of_whole_numbers_the_end_that_is_larger():
    raw = {
        "units": {"choice": [64, 32, 128]},
        "pool": {"whole": [1, 4]},  # the smaller, the larger is what comes after it
        "batch_size": {"choice": [32, 64, 128]},
        "activation": {"choice": ["relu", "tanh"]},
        "dropout": {"uniform": [0, 0.5]},
    }

    def size(setting):
        model = filled(raw, setting)
        return model["units"] * (8 - model["pool"])

    found = filled(raw, largest(dimensions(raw), size))
    assert found == {"units": 128, "pool": 1, "batch_size": 64, "activation": "relu",
                     "dropout": 0.25}  # fmt: skip
    assert largest(dimensions(raw), lambda setting: 0) == middle(dimensions(raw))


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


def test_choices_of_the_same_layers_in_several_options_have_names_of_their_own():
    """One name for both: the table of the best settings had each value in two columns."""
    block = {"conv2d": {"filters": {"whole": [2, 8]}, "kernel_size": 3}}
    dims = dimensions({"layers": [{"choice": [[block], [block, "flatten"]]}]})
    assert [short_names(dims)[each.place] for each in dims] == [
        "layers[1]",
        "choice[1][1].conv2d.filters",
        "choice[2][1].conv2d.filters",
    ]


def test_choices_in_a_block_that_is_never_left_out_depend_on_nothing():
    """The importance of choices left them out, as if they stood in an option."""
    layers = [{"dense": {"units": {"whole": [8, 64]}}}]
    for low, when in ((1, ()), (0, (("layers[1].repeat", None),))):
        repeat = {"repeat": {"whole": [low, 2], "layers": layers}}
        assert [each.when for each in dimensions({"layers": [repeat]})] == [(), when]


def test_values_at_shares_of_their_ranges_and_in_words():
    batch, optimizer, rate, *_, momentum, repeat, _, _ = dimensions(MODEL)
    assert [rate.at(share) for share in (0, 0.5, 1)] == [0.0001, 0.001, 0.01]
    assert [momentum.at(share) for share in (0, 0.5, 1)] == [0.0, 0.45, 0.9]
    assert [repeat.at(share) for share in (0, 0.33, 0.34, 0.67, 1)] == [0, 0, 1, 2, 2]
    assert [batch.at(share) for share in (0, 0.49, 0.5, 1)] == [0, 0, 1, 1]
    assert (rate.at(1 / 3), rate.share(0.001)) == (0.000464159, pytest.approx(0.5))
    assert [optimizer.words(k) for k in (0, 1)] == ["adam", "sgd"]
    assert (rate.words(0.00123456), repeat.words(2), batch.words(1)) == ("0.00123", "2", "64")
    assert (rate.range_words, batch.range_words) == ("0.0001 to 0.01 (log)", "32, 64")


def test_how_many_settings_there_are():
    one = dimensions({"layers": [{"dense": {"units": {"choice": [4, 8]}}}]})
    layers = [{"dense": {"units": {"choice": [4, 8]}}}, {"dense": {"whole": [1, 3]}}]
    two = dimensions({"layers": layers})
    drawn = dimensions({"layers": [{"dropout": {"uniform": [0, 0.5]}}]})
    assert [most_settings(each) for each in (one, two, drawn)] == [2, 6, None]


def test_choices_that_exclude_each_other_are_not_multiplied():
    """`plan` spoke of 40 settings where there were 12."""
    options = [
        {"residual": [{"conv2d": {"filters": 1, "kernel_size": {"choice": [3, 5]}}}]},
        {"conv2d": {"filters": {"whole": [2, 6]}, "activation": {"choice": ["relu", "tanh"]}}},
    ]
    assert most_settings(dimensions({"layers": [{"choice": options}]})) == 2 + 5 * 2
    block = [{"dense": {"units": {"choice": [4, 8]}}}]
    for low, count in ((0, 1 + 2 * 2), (1, 2 * 2)):
        layers = [{"repeat": {"whole": [low, 2], "layers": block}}]
        assert most_settings(dimensions({"layers": layers})) == count
    endless = [{"dropout": {"uniform": [0, 0.5]}}, "flatten"]
    assert most_settings(dimensions({"layers": [{"choice": endless}]})) is None


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
