"""Batch normalization, with the activation after it, against Keras's own layers.

Oracle: keras.layers on JAX, with XLA's automatic gradients: values, moving averages, gradients.
Cost: 8 s, nearly all of it compiling. Run: pytest tests/training/layers/test_normalization.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.normalization import BatchNormalization, normalize
from bakeoff.training.layers.replace import fuse_neighbours, with_faster_layers
from tests.helpers.layers import agree

NORMALIZED = [
    # shape, settings, activation, whether it is fused
    ((6, 5, 4, 3), {"momentum": 0.9, "epsilon": 0.01}, lambda: keras.layers.ReLU(), True),
    ((5, 4, 4, 17), {"center": False}, lambda: keras.layers.Activation("relu"), True),
    ((33, 20), {"scale": False}, lambda: keras.layers.ELU(), True),
    ((6, 4, 4, 2), {"axis": 3}, lambda: keras.layers.Activation("elu"), True),
    ((6, 4, 4, 2), {"axis": 1}, lambda: keras.layers.ReLU(), True),
    ((6, 7), {"renorm": True}, lambda: keras.layers.ReLU(), True),
    ((8, 4), {"trainable": False}, lambda: keras.layers.ReLU(), True),
    ((8, 4), {}, lambda: keras.layers.ReLU(max_value=6), False),
    ((8, 4), {}, lambda: keras.layers.ELU(alpha=0.5), False),
    ((8, 4), {}, lambda: keras.layers.Activation("tanh"), False),
]


@pytest.mark.parametrize("shape, settings, activation, fused", NORMALIZED)
def test_batch_normalization_is_keras(shape, settings, activation, fused, rng, kernels):
    inputs = 3 + 2 * rng.standard_normal(shape, np.float32)
    theirs = keras.Sequential(
        [keras.Input(shape[1:]), keras.layers.BatchNormalization(**settings), activation()]
    )
    ours = fuse_neighbours(with_faster_layers(theirs))
    assert type(ours.layers[0]) is BatchNormalization
    assert ours.layers[1].done is (fused and kernels == "native")
    for training in (True, False):
        agree(ours, theirs, inputs, training=training)


def test_several_trials_in_one_program(rng, native_kernels):
    values = rng.standard_normal((6, 5), np.float32)
    of_trials = rng.standard_normal((2, 5), np.float32)

    @jax.grad
    def gradient(gamma):
        return (normalize(values, gamma, gamma, 1e-3, "relu")[0] ** 2).sum()

    together = jax.jit(jax.vmap(gradient))(of_trials)
    for found, gamma in zip(together, of_trials, strict=True):
        np.testing.assert_allclose(found, gradient(gamma), rtol=1e-6)
