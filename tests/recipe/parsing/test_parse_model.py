"""Layers, optimizers and phases as a recipe may write them.

Oracle: the grammar of docs/recipe.md written out by hand. Cost: 1 s.

Run: pytest tests/recipe/parsing/test_parse_model.py
"""

import pytest

from tests.helpers.refused_recipes import LAYERS, declare, refusal


def test_the_three_forms_of_a_layer_are_one_layer():
    layers = ["p_re_lu", {"p_re_lu": {}}, {"p_re_lu": None}]
    assert len(set(map(repr, declare(models={"m": {"layers": layers}}).models["m"].layers))) == 1
    layers = [{"max_pooling2d": 2}, {"max_pooling2d": [2, 2]}, "max_pooling2d"]
    layers += [{"max_pooling2d": {"pool_size": 2, "strides": [2, 2]}}]
    first, *others = declare(models={"m": {"layers": layers}}).models["m"].layers
    assert first.arguments == {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}
    assert all(each == first for each in others)


def test_numbers_that_yaml_reads_as_text_are_numbers():
    layer = {"dense": {"units": "64", "kernel_regularizer": {"l2": "8e-4"}}}
    recipe = declare(models={"m": {"layers": [layer]}}, margin="1e-3")
    assert recipe.models["m"].layers[0].arguments["units"] == 64
    assert recipe.models["m"].layers[0].arguments["kernel_regularizer"] == {"l2": 0.0008}
    assert recipe.margin == 0.001


@pytest.mark.parametrize(
    ("learning_rate", "rest"),
    [
        ([], ": expected 1 to 1,000 phases, found an empty list"),
        (
            {"constant": 0.1},
            ": expected a number or a list of phases, found a mapping: put [ ] round it",
        ),
        (
            0,
            ": expected a number above 0 up to 1,000,000, found 0; a list of phases is the other "
            "form",
        ),
        (
            [{"epochs": 3}],
            "[1]: expected one phase, found an empty mapping: write it as "
            "{epochs: 10, constant: 0.001}",
        ),
        ([0.1], "[1]: expected a phase such as {epochs: 10, constant: 0.001}, found 0.1"),
        ([{"cosin": {"start": 1}}], "[1]: unknown phase cosin; did you mean cosine?"),
        ([{"cosine": {"start": 1}}], "[1].cosine: end is missing"),
        (
            {"step": 0.1},
            ": expected a number or a list of phases, found a mapping: write each step as a phase, "
            "as in [{epochs: 10, constant: 0.001}, {constant: 0.0001}]",
        ),
        (
            {"exponential_decay": {"initial_learning_rate": 0.1, "decay_steps": 100}},
            ": expected a number or a list of phases, found a mapping: write it in epochs, as in "
            "[{exponential: {start: 0.001, rate: -0.1}}], start·exp(rate·k)",
        ),
        (
            {"rate": 0.1},
            ": expected a number or a list of phases, found a mapping: write phases, as in "
            "[{epochs: 10, constant: 0.001}]",
        ),
        (
            [{"CosineDecay": {"initial_learning_rate": 0.1}}],
            "[1]: unknown phase CosineDecay; write it in epochs, as in "
            "[{cosine: {start: 0.001, end: 0}}]",
        ),
        (
            [{"epochs": 2, "linear": {"start": 0.0, "end": 0.1}}, {"constant": 0.1}],
            "[1].linear.start: expected a number above 0 up to 1,000,000, found 0: an epoch at 0 "
            "learns nothing; start at a small rate such as 0.0001",
        ),
        (
            [{"cosine": 0.1}],
            "[1].cosine: expected {arguments} (start, end), found 0.1",
        ),
        (
            [{"epochs": 0, "constant": 0.1}],
            "[1].epochs: expected a whole number from 1 to 100,000, found 0",
        ),
    ],
)
def test_learning_rates_that_cannot_be_read(learning_rate, rest):
    training = {"optimizer": {"adam": {"learning_rate": learning_rate}}}
    place = "recipe x.yaml, training.optimizer.adam.learning_rate"
    assert refusal(training=training) == place + rest


@pytest.mark.parametrize(("layer", "rest"), LAYERS, ids=range(len(LAYERS)))
def test_what_is_wrong_with_a_layer_names_its_place(layer, rest):
    assert (
        refusal(models={"cnn": {"layers": ["flatten", layer]}})
        == f"recipe x.yaml, models.cnn.layers[2]{rest}"
    )
