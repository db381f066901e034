"""Shapes and parameter counts. Oracle: Keras models built layer by layer; counts of the notebooks.

Cost: 20 s, most of it building Keras models. Run: pytest tests/recipe/test_architecture.py
"""

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from bakeoff.errors import RecipeError
from bakeoff.recipe import load, parse, shipped
from bakeoff.recipe.architecture import MAX_PARAMETERS, describe, meant_as_output, training_bytes
from bakeoff.recipe.types import plain_data
from bakeoff.recipe.vocabulary.words import LAYERS
from bakeoff.training.backend import keras
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


def model(*layers, **others):
    raw = {"name": "x", "data": "digits", "models": {"cnn": {"layers": list(layers), **others}}}
    return parse(raw, origin="test", folder=Path("/")).models["cnn"]


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


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [
                {"max_pooling2d": 2},
                {"max_pooling2d": 2},
                {"max_pooling2d": 2},
                {"max_pooling2d": 2},
            ],
            "max_pooling2d 2 after a 1×1 feature map in layer 4 of cnn: expected at least 2×2; "
            "remove the layer, or shrink less before it (padding: same)",
        ),
        (
            [{"conv2d": {"filters": 3, "kernel_size": [9, 1]}}],
            "conv2d 3 9×1 after a 8×8 feature map in layer 1 of cnn: expected at least 9×1; "
            "write a smaller kernel_size, or padding: same",
        ),
        (
            [{"max_pooling2d": 9}],
            "max_pooling2d 9 after a 8×8 feature map in layer 1 of cnn: expected at least 9×9; "
            "write a smaller pool_size, or padding: same",
        ),
        (
            ["flatten", {"conv2d": {"filters": 3, "kernel_size": 3}}],
            "conv2d 3 3×3 after a flat row of 64 values in layer 2 of cnn: expected a feature map; "
            "move the layer before the first flatten, dense or global pooling",
        ),
        (
            [{"dense": 5}, "global_average_pooling2d"],
            "global_average_pooling2d after a flat row of 5 values in layer 2 of cnn: expected a "
            "feature map; move the layer before the first flatten, dense or global pooling",
        ),
        (
            [{"dense": 5}, {"p_re_lu": {"shared_axes": [1, 2]}}],
            "p_re_lu shared_axes [1, 2] in layer 2 of cnn: expected axes from 1 to 1, since "
            "its input has the shape 5",
        ),
        (
            [{"dense": 10_000}, {"dense": 10_000}],
            "dense 10000 in layer 2 of cnn makes 100,660,000 parameters: expected at most "
            "100,000,000; make this layer or the one before it smaller",
        ),
        (
            [{"conv2d": {"filters": 100_000, "kernel_size": 1}}] * 2,
            "conv2d 100000 1×1 in layer 2 of cnn makes 10,000,300,000 parameters: expected at "
            "most 100,000,000; make this layer or the one before it smaller",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(layers, message):
    with pytest.raises(RecipeError) as caught:
        describe(model(*layers), (8, 8, 1), 10)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [{"residual": [{"max_pooling2d": 2}, {"conv2d": {"filters": 2, "kernel_size": 6}}]}],
            "conv2d 2 6×6 after a 4×4 feature map in layer 2 of layer 1 of cnn: expected at least "
            "6×6; write a smaller kernel_size, or padding: same",
        ),
        (
            [{"residual": [{"conv2d": {"filters": 2, "kernel_size": 3}}]}],
            "residual from 8×8×1 to 6×6×2 in layer 1 of cnn: expected layers whose output a 1×1 "
            "convolution of their input, in strides, can be added to; use padding: same inside",
        ),
        (
            [{"residual": ["flatten"]}],
            "residual from 8×8×1 to 64 in layer 1 of cnn: expected layers whose output a 1×1 "
            "convolution of their input, in strides, can be added to; use padding: same inside",
        ),
        (
            [{"conv2d": {"filters": 5, "kernel_size": 3}}, {"group_normalization": 2}],
            "group_normalization 2 after 5 channels in layer 2 of cnn: expected a number of groups "
            "that divides the channels; change groups",
        ),
        (
            [{"random_crop": {"height": 9, "width": 4}}],
            "random_crop 9 4 after a 8×8 feature map in layer 1 of cnn: expected a crop that is "
            "not larger; make its height and width smaller",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(layers, message):
    with pytest.raises(RecipeError) as caught:
        describe(model(*layers), (8, 8, 1), 10)
    assert str(caught.value) == message


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


def test_too_many_values_for_an_image():
    declared = model({"conv2d": {"filters": 1000, "kernel_size": 1}})
    with pytest.raises(RecipeError) as caught:
        describe(declared, (1000, 1000, 1), 10)
    assert str(caught.value) == (
        "conv2d 1000 1×1 in layer 1 of cnn makes 1,001,000,000 values for each image: expected at "
        "most 100,000,000; make this layer or the one before it smaller"
    )


def test_the_largest_model_is_described_without_being_built():
    units = (MAX_PARAMETERS - 10) // (64 + 1 + 10)
    described = describe(model({"dense": units // 2}, {"dropout": 0.1}), (8, 8, 1), 10)
    assert described.parameters == units // 2 * 75 + 10


def test_a_python_model_has_no_declared_layers():
    raw = {"name": "x", "data": "digits", "models": {"mine": {"python": "m.py:build"}}}
    mine = parse(raw, origin="test", folder=Path("/studies")).models["mine"]
    with pytest.raises(RecipeError) as caught:
        describe(mine, (8, 8, 1), 10)
    assert str(caught.value) == (
        "expected declared layers in mine, found python: its layers are known only when "
        "/studies/m.py:build has built them"
    )


@pytest.mark.parametrize(
    "layers",
    [
        [{"dense": 8}, {"dense": {"units": 10, "activation": "softmax"}}],
        [{"dense": 10}, {"activation": "softmax"}],
        ["global_average_pooling2d", {"dense": {"units": 10, "activation": "softmax"}}],
        [{"dense": {"units": 10, "activation": "softmax"}}, {"dropout": 0.2}],
        [{"dense": {"units": 10, "activation": "softmax"}}, "flatten", {"activation": "linear"}],
        [
            {"conv2d": {"filters": 10, "kernel_size": 3, "activation": "softmax"}},
            "global_average_pooling2d",
        ],
    ],
)
def test_a_second_softmax_is_refused(layers):
    recipe = parse(
        {"name": "x", "data": "digits", "models": {"m": {"layers": layers}}},
        origin="x",
        folder=Path.cwd(),
    )
    number = 1 + max(k for k, each in enumerate(layers) if "softmax" in str(each))
    message = rf"^models\.m\.layers\[{number}\]: expected the layers before the output, found"
    with pytest.raises(RecipeError, match=f"{message} the output itself .*: Bakeoff adds this"):
        describe(recipe.models["m"], (8, 8, 1), 10)
    describe(recipe.models["m"], (8, 8, 1), 9)  # of another width it is a layer like others


@pytest.mark.parametrize(
    ("layers", "number"),
    [
        ([{"dense": 8}, {"dense": 10}], 2),
        ([{"dense": {"units": 10, "activation": "sigmoid"}}, {"dropout": 0.1}], 1),
        ([{"conv2d": {"filters": 10, "kernel_size": 3}}, "global_average_pooling2d"], 1),
        ([{"dense": 10}, {"activation": "sigmoid"}], 2),
        ([{"dense": {"units": 10, "activation": "relu"}}], None),
        ([{"dense": 10}, "p_re_lu"], None),
        ([{"dense": 11}], None),
    ],
)
def test_a_layer_that_was_perhaps_meant_as_the_output_is_remarked(layers, number):
    """As Keras's users end a model with logits or sigmoids; a few units may be meant, too."""
    declared = model(*layers)
    found = meant_as_output(declared, describe(declared, (8, 8, 1), 10).layers, 10)
    assert found == (
        ()
        if number is None
        else (
            f"layer {number} has a value for each class, and Bakeoff adds the softmax output "
            "behind it: if it was meant as the output, remove it",
        )
    )
