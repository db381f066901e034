"""Shapes and parameter counts. Oracle: Keras models built layer by layer; counts of the notebooks.

Cost: 20 s, most of it building Keras models. Run: pytest tests/recipe/test_architecture.py
"""

import math

import pytest
from hypothesis import HealthCheck, given, settings

from bakeoff.recipe import load, shipped
from bakeoff.recipe.architecture import MAX_PARAMETERS, describe, training_bytes
from bakeoff.recipe.types import plain_data
from bakeoff.recipe.vocabulary.words import LAYERS
from bakeoff.training.backend import keras
from tests.helpers.plans import model
from tests.helpers.recipes_strategy import recipes

PARAMETERS = {
    "000": {"small-mlp": 16_020, "tuned-mlp": 234_879},
    "001": {"dense": 407_050, "dense-dropout": 407_050, "cnn": 356_298},
    "002": {
        **dict.fromkeys(["model-1", "model-2", "model-3"], 476_490),
        **dict.fromkeys(["model-4", "model-5", "model-6", "model-7"], 477_002),
        **dict.fromkeys(["model-8", "model-9"], 468_874),
    },
    "003": {"fashion-mlp": 372_360, "fashion-cnn": 463_034},
    "004": {"course-1": 55_050, "course-2": 437_310, "course-1-slow": 55_050, "course-3": 51_450},
}


def keras_layers(declared, input_shape, n_classes):
    """The layers of a declared model in Keras, by Keras's own rules; (kind, layer) in order."""
    layers = []

    def add(values, kind, arguments):
        arguments = plain_data(arguments)
        for key, value in arguments.items():
            if key.endswith("_regularizer") and value:
                arguments[key] = keras.regularizers.L1L2(**value)
        known = getattr(keras.layers, LAYERS[kind].__name__, keras.layers.Identity)
        if known is keras.layers.Identity:  # cutout, which Keras does not have
            arguments = {}
        layers.append((kind, known(**arguments)))
        return layers[-1][1](values)

    def stack(values, declared):
        for layer in declared:
            if layer.kind == "dense" and len(values.shape) > 2:
                values = add(values, "flatten", {})
            if layer.kind == "residual":
                place = len(layers)
                inside = beside = stack(values, layer.layers)
                if inside.shape != values.shape:
                    beside = add(values, *shortcut_of(values.shape[1:], inside.shape[1:]))
                else:
                    beside = values
                layers.insert(place, ("residual", keras.layers.Add()))
                values = layers[place][1]([inside, beside])
            else:
                values = add(values, layer.kind, layer.arguments)
        return values

    values = stack(keras.Input(input_shape), declared.layers)
    if len(values.shape) > 2:
        values = add(values, "flatten", {})
    add(values, "dense", {"units": n_classes, "activation": "softmax", **declared.output})
    return layers


def shortcut_of(before, after):
    if len(after) == 1:
        return "dense", {"units": after[0], "use_bias": False}
    strides = [-(-n // m) for n, m in zip(before[:2], after[:2], strict=True)]
    return "conv2d", {"filters": after[2], "kernel_size": 1, "strides": strides, "use_bias": False}


def check_against_keras(declared, input_shape, n_classes):
    ours = describe(declared, input_shape, n_classes)
    kinds, theirs = zip(*keras_layers(declared, input_shape, n_classes), strict=True)
    assert ours.parameters == sum(layer.count_params() for layer in theirs)
    weights = [weight for layer in theirs for weight in layer.trainable_weights]
    trainable = sum(math.prod(weight.shape) for weight in weights)
    assert ours.trainable_parameters == trainable
    assert ours.layers[0].kind == "scale"
    assert [layer.kind for layer in ours.layers[1:]] == list(kinds)
    assert [layer.output_shape for layer in ours.layers[1:]] == [
        tuple(layer.output.shape[1:]) for layer in theirs
    ]
    assert [layer.parameters for layer in ours.layers[1:]] == [
        layer.count_params() for layer in theirs
    ]
    assert len({layer.name for layer in ours.layers}) == len(ours.layers)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(recipe=recipes())
def test_random_models_are_as_keras_builds_them(recipe):
    check_against_keras(next(iter(recipe.models.values())), (8, 8, 1), 10)


@pytest.mark.parametrize(
    "layers",
    [
        [{"conv2d": {"filters": 2, "kernel_size": [3, 2], "strides": [2, 3], "padding": "same"}}],
        [{"conv2d": {"filters": 2, "kernel_size": 5, "strides": 3}}, "p_re_lu"],
        [{"max_pooling2d": {"pool_size": 3, "strides": 2, "padding": "same"}}, "flatten"],
        [{"p_re_lu": {"shared_axes": [1, 2]}}, "global_average_pooling2d", "p_re_lu"],
        [],
        [
            {
                "residual": [
                    {
                        "conv2d": {
                            "filters": 5,
                            "kernel_size": 3,
                            "strides": [2, 3],
                            "padding": "same",
                        }
                    },
                    "p_re_lu",
                ]
            }
        ],
        ["flatten", {"residual": [{"dense": 7}, {"residual": ["layer_normalization"]}]}],
        [
            {
                "separable_conv2d": {
                    "filters": 5,
                    "kernel_size": [3, 2],
                    "depth_multiplier": 2,
                    "strides": 2,
                }
            },
            {"group_normalization": 5},
        ],
        [
            {
                "depthwise_conv2d": {
                    "kernel_size": 3,
                    "padding": "same",
                    "depth_multiplier": 3,
                    "use_bias": False,
                }
            },
            "global_max_pooling2d",
        ],
    ],
)
def test_colour_images_that_are_not_square(layers):
    check_against_keras(model(*layers), (13, 10, 3), 4)


@pytest.mark.parametrize("prefix", ["notebook", "honest"])
@pytest.mark.parametrize("number", PARAMETERS)
def test_the_notebooks_have_as_many_parameters_as_they_printed(prefix, number):
    recipe = load(f"{prefix}-{number}")
    counts = {name: describe(m, (28, 28, 1), 10).parameters for name, m in recipe.models.items()}
    assert counts == PARAMETERS[number]


def test_moving_averages_are_not_trainable():
    recipe = load("notebook-002")
    described = describe(recipe.models["model-4"], (28, 28, 1), 10)
    assert described.trainable_parameters == 476_746
    assert described.parameters == 477_002


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_model_fits_its_data(name):
    recipe = load(name)
    shape = (8, 8, 1) if recipe.data == "digits" else (28, 28, 1)
    for each in recipe.models.values():
        assert describe(each, shape, 10).layers[-1].output_shape == (10,)


def test_what_bakeoff_adds_is_shown():
    declared = model(
        {"conv2d": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
        {"max_pooling2d": {"pool_size": [2, 3], "strides": 2}},
        {"dense": 5},
        {"dropout": 0.5},
        output={"use_bias": False},
    )
    described = describe(declared, (8, 8, 1), 10)
    rows = [(each.name, each.label, each.output_shape, each.added) for each in described.layers]
    assert rows == [
        ("scale", "scale", (8, 8, 1), True),
        ("conv2d", "conv2d 4 3×3 relu", (6, 6, 4), False),
        ("max_pooling2d", "max_pooling2d 2×3 stride 2", (3, 2, 4), False),
        ("flatten", "flatten", (24,), True),
        ("dense", "dense 5", (5,), False),
        ("dropout", "dropout 0.5", (5,), False),
        ("output", "dense 10 softmax no bias", (10,), True),
    ]
    assert described.layers[-1].parameters == 50


def test_operations_and_bytes_by_hand():
    declared = model(
        {"conv2d": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
        {"max_pooling2d": 2},
        training={"batch_size": 10, "optimizer": "sgd"},
    )
    described = describe(declared, (8, 8, 1), 10)
    flops = {each.name: each.flops for each in described.layers}
    assert flops == {
        "scale": 64,
        "conv2d": 6 * 6 * 4 * (2 * 9 + 2),
        "max_pooling2d": 3 * 3 * 4 * 4,
        "flatten": 0,
        "output": 10 * (2 * 36 + 2),
    }
    assert described.flops_per_image == sum(flops.values())
    assert described.activation_floats == 64 + 144 + 36 + 36 + 10
    weights = 4 * 9 + 4 + 36 * 10 + 10
    assert training_bytes(declared, described) == 4 * (2 * weights + 2 * 290 * 10)


def test_a_residual_stands_before_what_is_in_it():
    inside = [{"conv2d": {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same"}}]
    described = describe(model({"residual": inside}), (8, 8, 1), 10)
    rows = [(each.label, each.output_shape, each.depth, each.added) for each in described.layers]
    assert rows[1:4] == [
        ("residual", (4, 4, 4), 0, False),
        ("conv2d 4 3×3 stride 2 same", (4, 4, 4), 1, False),
        ("conv2d 4 1×1 stride 2 no bias", (4, 4, 4), 1, True),
    ]
    assert described.parameters == 4 * 9 + 4 + 4 + 64 * 10 + 10
    assert described.layers[1].flops == 64


def test_the_largest_model_is_described_without_being_built():
    units = (MAX_PARAMETERS - 10) // (64 + 1 + 10)
    described = describe(model({"dense": units // 2}, {"dropout": 0.1}), (8, 8, 1), 10)
    assert described.parameters == units // 2 * 75 + 10
