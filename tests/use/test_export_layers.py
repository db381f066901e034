"""Every layer and activation that can be exported, as ONNX and as LiteRT, against Keras itself.

Oracle: keras.Model.predict on the same pixels; onnxruntime and ai-edge-litert run the files.
Cost: 10 s, most of it Keras compiling. Run: pytest tests/use/test_export_layers.py
"""

import re
from pathlib import Path

import numpy as np
import pytest

from bakeoff import recipe as recipes
from bakeoff.errors import StudyError
from bakeoff.recipe.vocabulary.words import LAYERS as VOCABULARY
from bakeoff.training.backend import keras
from bakeoff.training.build_model import build
from bakeoff.training.plain_model import plain_model
from bakeoff.training.saved_weights import weight_names
from bakeoff.use.export.activations import ACTIVATIONS
from bakeoff.use.export.layers import LAYERS
from bakeoff.use.export.litert_file import litert_model
from bakeoff.use.export.onnx_file import onnx_model
from bakeoff.use.export.program import program_of
from tests.helpers.exported import run_litert, run_onnx
from tests.helpers.layers import called

layers = keras.layers
pytestmark = pytest.mark.usefixtures("drawn_by_numpy")  # weights are drawn anew in any case


def check(model, rng, dtype="uint8"):
    """Compare both files with Keras, for several numbers of images."""
    for variable in model.weights:  # not zeros and ones: gammas, variances, slopes all count
        value = rng.uniform(0.2, 0.8, variable.shape)
        variable.assign(value * 0.3 if len(variable.shape) > 1 else value)
    program = program_of(model, dtype)
    files = (onnx_model(program, name="m"), litert_model(program, name="m"))
    images = rng.integers(0, 256, (5, *model.input_shape[1:])).astype(dtype)
    expected = np.asarray(called(model, images, training=False))
    for run, content in zip((run_onnx, run_litert), files, strict=True):
        for count in (1, 5):
            found = run(content, images[:count])
            assert found.shape == expected[:count].shape
            np.testing.assert_allclose(found, expected[:count], rtol=2e-5, atol=2e-5)


def connected(*stack, shape=(9, 8, 3), dtype="uint8"):
    pixels = keras.Input(shape, dtype=dtype)
    value = layers.Rescaling(1 / 255)(pixels)
    for layer in stack:
        value = layer(value)
    return keras.Model(pixels, value)


STACKS = {
    "dense": [
        layers.Flatten(),
        layers.Dense(5, activation="tanh"),
        layers.Dense(3, use_bias=False),
    ],
    "conv2d": [layers.Conv2D(4, 3), layers.Conv2D(5, (2, 3), strides=(2, 1), padding="same")],
    "conv2d, strides": [layers.Conv2D(4, 5, strides=3, padding="same", use_bias=False)],
    "conv2d, dilation": [layers.Conv2D(4, 3, dilation_rate=2, padding="same")],
    "depthwise": [layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)],
    "depthwise, strides": [layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False)],
    "separable": [layers.SeparableConv2D(6, 3, padding="same", activation="relu")],
    "max pooling 3, 2": [layers.MaxPooling2D(3, 2)],
    "max pooling, same": [layers.MaxPooling2D(3, 2, padding="same")],
    "average pooling": [layers.AveragePooling2D(2)],
    "average pooling, same": [layers.AveragePooling2D(3, 2, padding="same")],
    "global average": [layers.GlobalAveragePooling2D()],
    "global max": [layers.GlobalMaxPooling2D(keepdims=True)],
    "padding": [layers.ZeroPadding2D(((1, 2), (0, 3)))],
    "crop": [layers.CenterCrop(4, 5)],
    "cropping": [layers.Cropping2D(((1, 0), (2, 3)))],
    "normalization": [
        layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[4.0, 1e-20, 0.2]),
        layers.Normalization(mean=[0.3, 0.2, 0.1], variance=[0.2, 1.0, 4.0], invert=True),
    ],
    "reshape": [layers.Reshape((4, 54)), layers.Flatten()],
    "permute": [layers.Permute((2, 3, 1)), layers.Flatten()],
    "batch normalization": [layers.BatchNormalization()],
    "batch normalization, bare": [layers.BatchNormalization(center=False, scale=False)],
    "layer normalization": [layers.LayerNormalization()],
    "rms normalization": [layers.RMSNormalization()],
    "group normalization": [layers.Conv2D(6, 1), layers.GroupNormalization(3)],
    "p_re_lu": [layers.Rescaling(2, -1), layers.PReLU()],
    "p_re_lu, shared": [layers.Rescaling(2, -1), layers.PReLU(shared_axes=(1, 2))],
    "leaky_re_lu": [layers.Rescaling(2, -1), layers.LeakyReLU(0.3)],
    "elu": [layers.Rescaling(2, -1), layers.ELU(0.7)],
    "re_lu": [layers.Rescaling(9, -1), layers.ReLU(max_value=6, negative_slope=0.1)],
    "softmax": [layers.Softmax()],
    "only while training": [
        *(layers.Dropout(0.5), layers.SpatialDropout2D(0.5), layers.GaussianNoise(1.0)),
        *(layers.RandomFlip(), layers.RandomTranslation(0.1, 0.1), layers.RandomRotation(0.1)),
    ],
}


@pytest.mark.parametrize("name", STACKS)
def test_layers(name, rng):
    check(connected(*STACKS[name]), rng)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name, rng):
    check(connected(layers.Rescaling(12, -6), layers.Activation(name)), rng)


def test_branches_and_models_inside_models(rng):
    pixels = keras.Input((8, 8, 1), dtype="uint8")
    scaled = layers.Rescaling(1 / 255)(pixels)
    inner = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(3, 3, padding="same")])
    one, two = inner(scaled), layers.Conv2D(3, 1, activation="relu")(scaled)
    merged = [
        layer([one, two])
        for layer in (
            *(layers.Add(), layers.Subtract(), layers.Multiply(), layers.Average()),
            *(layers.Maximum(), layers.Minimum()),
        )
    ]
    rows = layers.GlobalAveragePooling2D()(layers.Concatenate()(merged))
    check(keras.Model(pixels, layers.Dense(4, activation="softmax")(rows)), rng)


def test_constants_beside_values(rng):
    """As in MobileNetV3, whose hard sigmoid is a ReLU6 of x + 3; they were taken for pixels."""
    pixels = keras.Input((4, 4, 3), dtype="uint8")
    value = 0.01 * layers.Rescaling(1.0)(pixels) - 1.0
    value = 0.7 - layers.Multiply()([value, value + np.float32([1, 2, 3])])
    check(keras.Model(pixels, keras.ops.maximum(value, -0.5)), rng)


def test_pixels_that_are_not_bytes(rng):
    check(connected(layers.Conv2D(2, 3), dtype="float32"), rng, dtype="float32")


WORDS = {  # what a layer of the recipe's vocabulary cannot do without
    "dense": 4,
    "conv2d": {"filters": 3, "kernel_size": 3, "padding": "same"},
    "depthwise_conv2d": {"kernel_size": 3},
    "separable_conv2d": {"filters": 4, "kernel_size": 3},
    "average_pooling2d": 2,
    "dropout": 0.5,
    "gaussian_noise": 0.5,
    "group_normalization": 1,
    "activation": "gelu",
    "random_translation": {"height_factor": 0.2, "width_factor": 0.2},
    "random_rotation": 0.1,
    "random_zoom": 0.2,
    "random_contrast": 0.3,
    "random_brightness": 0.2,
    "random_crop": {"height": 4, "width": 5},
    "cutout": 3,
    "residual": [{"conv2d": {"filters": 2, "kernel_size": 1}}],
}


@pytest.mark.parametrize("word", [*VOCABULARY, "residual"])
def test_every_layer_of_a_recipe(word, rng):
    """A new word of the vocabulary is tested as soon as it is there, or fails for what it lacks."""
    layer = {word: WORDS[word]} if word in WORDS else word
    model = recipes.parse(
        {"name": "n", "data": "digits", "models": {"m": {"layers": [layer]}}}, origin="a test",
        folder=Path(),
    ).models["m"]  # fmt: skip
    shape = (6, 6, 2)
    ours = build(model, shape, 3, seed=0)
    variables = [*ours.trainable_variables, *ours.non_trainable_variables]
    for variable in variables:
        variable.assign(rng.uniform(0.2, 0.8, variable.shape))
    weights = {
        name: np.asarray(each.value)
        for name, each in zip(weight_names(ours), variables, strict=True)
    }
    plain = plain_model(model, [weights], input_shape=shape, n_classes=3, maximum=255.0)
    images = rng.integers(0, 256, (4, *shape)).astype("uint8")
    expected = np.asarray(called(ours, images.astype("float32") / 255, training=False))
    program = program_of(plain, "uint8")
    assert expected.std(axis=0).max() > 1e-4  # the layer lets something through
    for run, content in (
        (run_onnx, onnx_model(program, name="m")), (run_litert, litert_model(program, name="m"))
    ):  # fmt: skip
        np.testing.assert_allclose(run(content, images), expected, rtol=2e-5, atol=2e-5)


def test_every_layer_of_the_table_is_tested():
    tested = {type(layer).__name__ for stack in STACKS.values() for layer in stack}
    tested |= {"Activation", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"}
    idle = {name for name, written in LAYERS.items() if written is LAYERS["Dropout"]}
    assert set(LAYERS) - idle - tested == {"Concatenate"}
    assert all(hasattr(layers, name) for name in LAYERS)


class Own(layers.Dense):
    pass


REFUSED = [
    (layers.Conv1D(2, 3, name="a"), "Conv1D (a), which it has no operations for"),
    (Own(2, name="b"), "Own (b), which it has no operations for"),
    (layers.Conv2D(3, 3, groups=3, name="c"), "Conv2D (c), with a convolution in groups"),
    (layers.Dense(3, activation=abs, name="d"), "Dense (d), with the activation abs"),
    (
        layers.GroupNormalization(1, name="e"),
        "GroupNormalization (e), with a normalization in groups of rows",
    ),
]


def test_an_operation_is_not_taken_for_the_layer_of_its_name():
    pixels = keras.Input((4, 4, 3), dtype="uint8")
    value = layers.Rescaling(1 / 255)(pixels)
    for made, found in (
        (keras.ops.average(value, axis=1), "which it has no operations for"),
        (value + layers.GlobalMaxPooling2D()(value), "with inputs of different ranks"),
    ):
        with pytest.raises(StudyError, match=rf"found A\w+ \(a\w+\), {found}: use --format keras"):
            program_of(keras.Model(pixels, made), "uint8")


@pytest.mark.parametrize(("layer", "found"), REFUSED, ids=lambda each: str(each)[:12])
def test_what_cannot_be_exported_is_named(layer, found):
    shape = (9, 3) if isinstance(layer, layers.Conv1D) else (9, 8, 3)
    on_rows = isinstance(layer, layers.Dense | layers.GroupNormalization)
    stack = [layers.Flatten(), layer] if on_rows else [layer]
    model = None if layer.name == "d" else connected(*stack, shape=shape)
    if model is None:
        plain = layers.Dense(3, name="d")
        model = connected(layers.Flatten(), plain)
        plain.activation = abs
    message = (
        f"expected layers that can be exported, found {found}: use --format keras or safetensors"
    )
    with pytest.raises(StudyError, match=f"^{re.escape(message)}$"):
        program_of(model, "uint8")
