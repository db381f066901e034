"""Keras's convolution with faster gradients, against Keras's own.

Oracle: keras.layers on JAX, with XLA's automatic gradients. Run:
pytest tests/training/layers/test_convolution.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.convolution import Conv2D
from bakeoff.training.layers.pooling import AveragePooling2D, MaxPooling2D
from tests.helpers.layers import agree

jnp = jax.numpy

CONVOLUTIONS = [
    # images, filters, window, strides, padding
    ((3, 9, 7, 2), 5, (3, 3), (1, 1), "valid"),
    ((3, 9, 7, 2), 5, (3, 3), (1, 1), "same"),
    ((1, 7, 8, 1), 3, (5, 2), (1, 1), "same"),
    ((2, 8, 8, 3), 4, (2, 4), (1, 1), "same"),
    ((2, 8, 8, 3), 4, (4, 4), (1, 1), "valid"),
    ((4, 5, 6, 3), 2, (1, 1), (1, 1), "valid"),
    ((4, 5, 6, 3), 2, (5, 6), (1, 1), "valid"),
    ((2, 11, 10, 2), 3, (3, 3), (2, 2), "valid"),
    ((2, 11, 10, 2), 3, (3, 3), (2, 2), "same"),
    ((2, 11, 10, 2), 3, (2, 3), (3, 1), "valid"),
    ((2, 11, 10, 2), 3, (3, 2), (1, 3), "same"),
    ((2, 10, 13, 1), 3, (1, 2), (3, 4), "same"),
    ((7, 28, 28, 1), 8, (5, 5), (1, 1), "valid"),
    ((5, 6, 6, 16), 24, (3, 3), (1, 1), "valid"),
    ((18, 7, 6, 40), 24, (3, 2), (1, 1), "same"),
    ((33, 7, 6, 32), 40, (3, 3), (2, 1), "same"),
]


@pytest.mark.parametrize("shape, filters, window, strides, padding", CONVOLUTIONS)
def test_convolution_is_keras(shape, filters, window, strides, padding, rng, kernels):
    images = rng.standard_normal(shape, np.float32)
    settings = {"strides": strides, "padding": padding, "bias_initializer": "random_normal"}
    agree(
        Conv2D(filters, window, **settings),
        keras.layers.Conv2D(filters, window, **settings),
        images,
    )


@pytest.mark.parametrize(
    "settings", [{"dilation_rate": 2}, {"groups": 2}], ids=["dilation", "groups"]
)
def test_convolution_that_is_not_replaced_is_keras(settings, rng):
    images = rng.standard_normal((2, 9, 9, 4), np.float32)
    agree(Conv2D(6, 3, **settings), keras.layers.Conv2D(6, 3, **settings), images)


@pytest.mark.parametrize("batch", [6, 1])
def test_layers_batched_over_seeds_are_the_layers_one_by_one(batch, rng):
    layers = (Conv2D(4, (3, 2), padding="same"), MaxPooling2D(3, 2), AveragePooling2D(2, 1))
    images = rng.standard_normal((3, batch, 7, 8, 2), np.float32)
    kernels = rng.standard_normal((3, 3, 2, 2, 4), np.float32)
    bias = np.zeros(4, np.float32)
    layers[0].build(images.shape[1:])

    def objective(kernel, images):
        values, _ = layers[0].stateless_call([kernel, bias], [], images)
        return jnp.sum(layers[2](layers[1](values)) ** 2)

    run = jax.value_and_grad(objective, (0, 1))
    together = jax.jit(jax.vmap(run))(kernels, images)
    alone = [jax.jit(run)(*each) for each in zip(kernels, images, strict=True)]
    for found, expected in zip(
        jax.tree.leaves(together), zip(*map(jax.tree.leaves, alone), strict=True), strict=True
    ):
        np.testing.assert_allclose(found, np.stack(expected), rtol=1e-4, atol=1e-4)


def test_gradients_inside_a_compiled_loop_repeat_bit_for_bit(rng):
    layer = Conv2D(6, 3)
    images = rng.standard_normal((4, 5, 9, 9, 3), np.float32)
    layer.build(images.shape[1:])
    weights = [variable.value for variable in layer.trainable_variables]

    def step(weights, images):
        def objective(weights):
            return jnp.mean(layer.stateless_call(weights, [], images)[0] ** 2)

        gradient = jax.grad(objective)(weights)
        return [w - 0.1 * s for w, s in zip(weights, gradient, strict=True)], None

    run = jax.jit(lambda weights, images: jax.lax.scan(step, weights, images)[0])
    for first, again in zip(run(weights, images), run(weights, images), strict=True):
        np.testing.assert_array_equal(first, again)
