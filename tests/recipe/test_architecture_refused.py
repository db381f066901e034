"""Networks that cannot be built, and layers that were perhaps meant as the output.

Oracle: the messages, whole. Cost: nothing. Run: pytest tests/recipe/test_architecture_refused.py
"""

from pathlib import Path

import pytest

from bakeoff.errors import RecipeError
from bakeoff.recipe import parse
from bakeoff.recipe.architecture import describe, meant_as_output
from tests.helpers.plans import model


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
            "move the layer before the first flatten, dense or global pooling; a backbone ends in "
            "one",
        ),
        (
            [{"dense": 5}, "global_average_pooling2d"],
            "global_average_pooling2d after a flat row of 5 values in layer 2 of cnn: expected a "
            "feature map; move the layer before the first flatten, dense or global pooling; a "
            "backbone ends in one",
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
            "residual from 8×8×1 to 64 in layer 1 of cnn: expected layers that leave a feature map "
            "one; move flatten, dense or global pooling out of the residual, or write flatten "
            "before it",
        ),
        (
            [{"cutout": 9}],
            "cutout 9 after a 8×8 feature map in layer 1 of cnn: expected a square that is not "
            "larger; write a smaller size",
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


def test_changes_before_a_backbone_fit_the_images():
    augment = [{"random_flip": "horizontal"}, {"cutout": 9}]
    backbone = {"name": "efficientnet_lite0", "augment": augment}
    raw = {"name": "x", "data": "digits", "models": {"cnn": {"backbone": backbone}}}
    declared = parse(raw, origin="test", folder=Path("/studies")).models["cnn"]
    describe(declared, (9, 9, 1), 10)
    with pytest.raises(RecipeError) as caught:
        describe(declared, (8, 8, 1), 10)
    assert str(caught.value) == (
        "cutout 9 after a 8×8 feature map in backbone.augment[2] of cnn: expected a square that is "
        "not larger; write a smaller size"
    )


def test_too_many_values_for_an_image():
    declared = model({"conv2d": {"filters": 1000, "kernel_size": 1}})
    with pytest.raises(RecipeError) as caught:
        describe(declared, (1000, 1000, 1), 10)
    assert str(caught.value) == (
        "conv2d 1000 1×1 in layer 1 of cnn makes 1,001,000,000 values for each image: expected at "
        "most 100,000,000; make this layer or the one before it smaller"
    )


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
        [{"dense": {"units": 10, "activation": "softmax"}}, {"gaussian_noise": 0.2}],
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
