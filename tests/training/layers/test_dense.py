"""Keras's dense layer with faster products, against Keras's own.

Oracle: keras.layers on JAX, with XLA's automatic gradients. Run:
pytest tests/training/layers/test_dense.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import keras
from bakeoff.training.layers.dense import Dense
from tests.helpers.layers import agree

DENSE = [
    # inputs, units, settings: weights below and above the size that tiles are used for
    ((7, 63), 64, {}),
    ((7, 64), 63, {}),
    ((7, 64), 64, {}),
    ((1, 100), 70, {"activation": "tanh"}),
    ((33, 200), 300, {"activation": "relu", "use_bias": False}),
    ((128, 784), 65, {"activation": "softmax"}),
    ((3, 5, 64), 64, {"activation": "relu"}),
]


@pytest.mark.parametrize("shape, units, settings", DENSE)
def test_dense_is_keras(shape, units, settings, rng, kernels):
    inputs = rng.standard_normal(shape, np.float32)
    ours, theirs = (kind(units, **settings) for kind in (Dense, keras.layers.Dense))
    agree(ours, theirs, inputs)


def test_dense_in_half_precision_is_keras(rng, kernels):
    inputs = rng.standard_normal((4, 80)).astype(np.float16)
    ours, theirs = (layer(70, dtype="float16") for layer in (Dense, keras.layers.Dense))
    expected = theirs(inputs)
    ours.build(inputs.shape)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_array_equal(ours(inputs), expected)
