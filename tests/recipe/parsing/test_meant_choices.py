"""Choices in other tools' words, or in another form, are answered with the right ones; 2 s.

Oracle: what was written, told by hand; what is offered for values is read again.
Run: pytest tests/recipe/parsing/test_meant_choices.py
"""

import pytest

from bakeoff.errors import RecipeError
from bakeoff.recipe.parsing.meant_choices import meant_choice
from tests.helpers.refused_recipes import declare

FOUND = [
    ({"int": [16, 64]}, "{whole: [16, 64]}", "{int: [16, 64]}"),
    ({"whole": [16, 64], "step": 16}, "{choice: [16, 32, 48, 64]}", "{whole: [16, 64], step: 16}"),
    ({"whole": [1, 1000], "step": 1}, "{whole: [1, 1000]}", "{whole: [1, 1000], step: 1}"),
    ({"uniform": [0, 0.5], "step": 0.3}, "{choice: [0, 0.3]}", "{uniform: [0, 0.5], step: 0.3}"),
    ({"loguniform": [0.001, 0.1]}, "{log: [0.001, 0.1]}", "{loguniform: [0.001, 0.1]}"),
    ({"float": [0.1, 0.9], "log": True}, "{log: [0.1, 0.9]}", "{float: [0.1, 0.9], log: true}"),
    ({"int": [16, 64], "log": True}, "{whole: [16, 64]}", "{int: [16, 64], log: true}"),
    ({"lograndint": [16, 64]}, "{whole: [16, 64]}", "{lograndint: [16, 64]}"),
    ({"min": 1, "max": 4}, "{whole: [1, 4]}", "{min: 1, max: 4}"),
    ({"min": 0, "max": 0.5}, "{uniform: [0, 0.5]}", "{min: 0, max: 0.5}"),
    ({"whole": {"low": 2, "high": 3}}, "{whole: [2, 3]}", "{whole: {low: 2, high: 3}}"),
    ({"categorical": ["relu", "elu"]}, "{choice: [relu, elu]}", "{categorical: [relu, elu]}"),
    ({"choice": 32}, "{choice: [32, …]}", "{choice: 32}"),
    ({"choice": "relu, elu"}, "{choice: [relu, elu]}", "{choice: 'relu, elu'}"),
    ({"whole": 16}, "{whole: [1, 4]}", "{whole: 16}"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "wanted", "found"), FOUND)
def test_what_is_meant_is_offered(written, wanted, found):
    place, text = meant_choice({"layers": [{"dense": {"units": written}}]})
    assert place == "layers[1].dense.units"
    assert text == f"expected a choice such as {wanted}, found {found}"


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        ({"choice": [None, "batch_normalization"]}, "{choice: [[], batch_normalization]}"),
        ({"dropout": {"choice": [None, 0.2]}}, "{choice: [[], {dropout: 0.2}]}"),
    ],
)
def test_a_layer_is_left_out_by_an_empty_list(layer, wanted):
    text = f"expected layers in every option, found null: for none write {wanted}"
    assert meant_choice({"layers": [{"dense": 4}, layer]}) == ("layers[2]", text)


@pytest.mark.parametrize(
    "model",
    [
        {"layers": [{"dense": {"units": {"whole": [2, 4]}}}, {"dropout": {"uniform": [0, 0.5]}}]},
        {"layers": [{"choice": [[], {"dropout": 0.2}]}]},
        {"layers": [{"max_pooling2d": {"choice": [None, 3]}}]},
        {"layers": [{"dense": {"units": 4, "activation": {"choice": [None, "relu"]}}}]},
        {"layers": [{"dense": 4}], "training": {"optimizer": {"choice": ["adam", {"sgd": None}]}}},
        {"layers": None},
        "text",
    ],
)  # fmt: skip
def test_what_is_written_as_it_should_be_is_left_alone(model):
    assert meant_choice(model) is None


def test_a_recipe_with_such_a_word_is_refused_in_one_line():
    with pytest.raises(RecipeError) as caught:
        declare(models={"m": {"layers": [{"dense": {"units": {"int": [16, 64]}}}]}})
    assert str(caught.value).endswith(
        "models.m.layers[1].dense.units: expected a choice such as {whole: [16, 64]}, "
        "found {int: [16, 64]}"
    )


@pytest.mark.parametrize(
    ("units", "ends"), [({"uniform": [16, 64]}, "[16, 64]"), ({"log": [1.5, 64]}, "[1, 4]")]
)
@pytest.mark.parametrize("main", [True, False])
def test_a_range_of_numbers_for_a_whole_one_is_told_the_right_word(units, ends, main):
    dense = units if main else {"units": units}
    with pytest.raises(RecipeError) as caught:
        declare(search={"settings": 3}, models={"m": {"layers": [{"dense": dense}]}})
    assert str(caught.value).endswith(
        f": expected a choice of whole numbers, such as {{whole: {ends}}}, found "
        f"{next(iter(units))}, whose numbers are not whole"
    )


def test_which_mappings_are_alike_is_said():
    options = [{"adam": None}, "sgd", {"adam": None}]
    model = {"layers": [{"dense": 4}], "training": {"optimizer": {"choice": options}}}
    with pytest.raises(RecipeError) as caught:
        declare(search={"settings": 3}, models={"m": model})
    assert str(caught.value).endswith(
        "optimizer.choice: expected different options, found options 1 and 3, which say the same"
    )
