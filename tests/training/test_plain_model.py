"""A trained model in Keras's own layers, where Keras does otherwise than Bakeoff.

Oracle: Bakeoff's own prediction. Cost: 5 s. Run: pytest tests/training/test_plain_model.py
"""

import re
from functools import partial

import numpy as np
import pytest

from bakeoff.errors import StudyError
from bakeoff.training.backend import keras
from bakeoff.training.build_model import build
from bakeoff.training.layers.dense import Dense
from bakeoff.training.plain_model import _plain, calls_of, plain_model
from bakeoff.training.predict import predict
from bakeoff.training.saved_weights import weight_names
from tests.helpers.trainers import declare

LAYERS = [
    {"random_crop": {"height": 5, "width": 4}},
    {"residual": [{"conv2d": {"filters": 2, "kernel_size": 3, "padding": "same"}}]},
    {"cutout": 2},
    {"random_contrast": 0.3},
    {"dense": 4},
]


def test_crops_are_from_the_middle_and_residuals_add(rng):
    model = declare(LAYERS)
    network = build(model, (8, 7, 1), 3, seed=2)
    variables = [*network.trainable_variables, *network.non_trainable_variables]
    weights = dict(zip(weight_names(network), map(np.asarray, variables), strict=True))
    images = rng.integers(0, 256, (6, 8, 7, 1), dtype=np.uint8)
    plain = plain_model(model, [weights], input_shape=(8, 7, 1), n_classes=3, maximum=255.0)
    expected = predict(model, weights, images, maximum=255.0, n_classes=3)
    np.testing.assert_allclose(plain.predict(images, verbose=0), expected, atol=1e-5)


def test_the_calls_of_a_network_are_told_in_order_with_what_each_is_given():
    start = keras.Input((4,))
    shared = keras.layers.Dense(4, name="shared")
    first = shared(start)
    end = keras.layers.Subtract(name="minus")([shared(first), first + 1.0])
    calls, output = calls_of(keras.Model(start, end))
    first, *others, last = calls
    assert (first.layer.name, len(first.inputs)) == ("shared", 1)
    twice, plus = sorted(others, key=lambda call: len(call.inputs))
    assert twice.layer is first.layer and twice.inputs[0] is first.output
    assert plus.inputs[0] is first.output and plus.inputs[1] == 1.0
    assert last.layer.name == "minus" and last.output is output
    assert last.inputs[0] is twice.output and last.inputs[1] is plus.output


def relu(values):
    return keras.ops.maximum(values, 0.01 * values)


@pytest.mark.parametrize(
    "activation, name",
    [
        (relu, "relu"),  # Keras would save it under the name of its own
        (keras.ops.gelu, "gelu"),  # an approximation, which the layer's is not
        (partial(keras.activations.leaky_relu, negative_slope=0.1), "partial"),
        (lambda values: values**2, "<lambda>"),
    ],
    ids=["own", "ops", "partial", "lambda"],
)
def test_an_activation_that_keras_does_not_know_is_no_other_one_of_the_same_name(activation, name):
    with pytest.raises(StudyError) as caught:
        _plain(Dense(3, activation=activation), "mine")
    assert str(caught.value) == (
        f"mine: expected layers of Keras's own, found the activation {name}, which only the code "
        "that defines it can build: use result.predict for this model"
    )


@pytest.mark.parametrize(
    "activation",
    [None, "gelu", keras.ops.relu, keras.layers.LeakyReLU(0.1)],
    ids=["none", "name", "ops", "layer"],
)
def test_an_activation_that_keras_knows_stays(activation):
    plain = _plain(Dense(3, activation=activation), "mine")
    assert type(plain) is keras.layers.Dense
    values = np.linspace(-3, 3, 7, dtype=np.float32)[None]
    expected = Dense(3, activation=activation).activation(values)
    np.testing.assert_allclose(plain.activation(values), expected, atol=1e-6)


@pytest.mark.parametrize(
    "made",
    [
        "Own()",
        "Own(i := keras.Input((8, 7, 1)), keras.layers.Dense(3)(keras.layers.Flatten()(i)))",
    ],
    ids=["subclass", "functional"],
)
def test_a_network_that_only_its_own_code_connects_is_named(tmp_path, made):
    (tmp_path / "own.py").write_text(
        "import keras\n\n"
        "out = keras.layers.Dense(3, activation='softmax')\n\n"
        "class Own(keras.Model):\n"
        "    def call(self, x, training=False):\n"
        "        return out(keras.layers.Flatten()(x))\n\n"
        f"build = lambda shape, n: {made}\n"
    )
    model = declare().model_copy(update={"layers": (), "python": f"{tmp_path}/own.py:build"})
    text = re.escape(
        "model: expected layers of Keras's own, found Own, which only the code that defines it can "
        "build: use result.predict for this model"
    )
    with pytest.raises(StudyError, match=f"^{text}$"):
        plain_model(model, [{}], input_shape=(8, 7, 1), n_classes=3, maximum=255.0)
