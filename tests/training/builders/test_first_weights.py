"""What comes to a network's first weights: through layers, loops, nested models and own kernels.

Oracle: what was written in front of the weights, computed by NumPy. Cost: 5 s.
Run: pytest tests/training/builders/test_first_weights.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import keras
from bakeoff.training.builders.first_weights import before_weights

L = keras.layers
SHAPE = (4, 4, 1)


class Kernel(keras.layers.Layer):
    """Halves its input, and only then uses a weight of its own."""

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 3), name="kernel")

    def call(self, inputs):
        return keras.ops.relu(inputs / 2) @ self.kernel


class Token(keras.layers.Layer):
    """Puts a weight in the place of black pixels."""

    def build(self, shape):
        self.token = self.add_weight(shape=(1, 1, 1, shape[-1]), name="token")

    def call(self, inputs):
        token = keras.ops.convert_to_tensor(self.token)
        return keras.ops.where(keras.ops.equal(inputs, 0.0), token, inputs)


@pytest.mark.parametrize(
    ("layers", "factor"),
    [
        ([L.Flatten(), L.Dense(3)], 1),
        ([L.Rescaling(0.25), L.Conv2D(2, 3)], 0.25),
        ([L.BatchNormalization(), L.Rescaling(0.25), L.Flatten(), L.Dense(3)], 1),
        ([Kernel(), L.Flatten()], 0.5),
        ([L.Rescaling(0.5), Token(), L.Flatten()], 0.5),
        ([L.Activation("relu"), L.Reshape((4, 4)), L.Rescaling(3.0), L.LSTM(2)], 3),
        ([keras.Sequential([L.Rescaling(0.1), L.Dense(2)]), L.Flatten()], 0.1),
    ],
)
def test_what_the_first_weights_get(layers, factor, rng):
    model = keras.Sequential([keras.Input(SHAPE), *layers])
    images = rng.random((2, *SHAPE), dtype=np.float32)
    found = before_weights(model, images)
    assert [each.size for each in found] == [16, 16]
    for values, image in zip(found, images, strict=True):
        np.testing.assert_allclose(np.sort(values, axis=None), factor * np.sort(image, axis=None))


def test_a_network_whose_weights_see_no_pixel(rng):
    model = keras.Sequential([keras.Input(SHAPE), L.Flatten()])
    with pytest.raises(ValueError, match="no pixel meets a trainable variable"):
        before_weights(model, rng.random((1, *SHAPE), dtype=np.float32))
