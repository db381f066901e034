"""Keras's pooling as strided slices, against Keras's own.

Oracle: keras.layers on JAX, with XLA's automatic gradients. Run:
pytest tests/training/layers/test_pooling.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import jax, keras
from bakeoff.training.layers.pooling import AveragePooling2D, MaxPooling2D
from tests.helpers.layers import agree

jnp = jax.numpy

POOLINGS = [
    # images, window, strides, padding
    ((3, 8, 6, 2), (2, 2), None, "valid"),
    ((3, 9, 7, 2), (2, 2), None, "valid"),
    ((3, 9, 7, 2), (2, 2), None, "same"),
    ((2, 10, 11, 3), (3, 3), (2, 2), "valid"),
    ((2, 10, 11, 3), (3, 3), (2, 2), "same"),
    ((2, 9, 9, 1), (3, 2), (1, 3), "valid"),
    ((2, 9, 9, 1), (3, 2), (1, 3), "same"),
    ((2, 7, 8, 2), (2, 3), (3, 2), "valid"),
    ((2, 7, 8, 2), (1, 1), (2, 2), "same"),
    ((2, 5, 5, 4), (5, 5), (1, 1), "valid"),
    ((1, 6, 6, 2), (4, 3), (1, 1), "same"),
    ((2, 6, 6, 16), (2, 2), None, "valid"),
    ((2, 7, 6, 35), (3, 2), (2, 2), "same"),
]
POOLS = {
    "max": (MaxPooling2D, keras.layers.MaxPooling2D),
    "average": (AveragePooling2D, keras.layers.AveragePooling2D),
}


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize("shape, window, strides, padding", POOLINGS)
def test_pooling_is_keras(kind, shape, window, strides, padding, rng, kernels):
    images = rng.standard_normal(shape, np.float32)
    ours, theirs = (pool(window, strides, padding) for pool in POOLS[kind])
    agree(ours, theirs, images)


@pytest.mark.parametrize("shape, window, strides, padding", POOLINGS)
def test_of_equal_pixels_the_first_gets_the_gradient_as_in_keras(
    shape, window, strides, padding, rng, kernels
):
    few_values, zeros = rng.integers(0, 3, shape).astype(np.float32), np.zeros(shape, np.float32)
    pools = (pool(window, strides, padding) for pool in POOLS["max"])
    agree(*pools, np.concatenate([few_values, zeros]))


def test_of_three_equal_pixels_the_first_gets_the_whole_gradient(kernels):
    images = np.array([[1, 5, 5, 0], [2, 5, 0, 0]], np.float32).reshape(1, 2, 4, 1)
    layer = MaxPooling2D(2)
    gradient = jax.grad(lambda images: jnp.sum(layer(images) * np.array([3.0, 7.0])[:, None]))(
        images
    )
    np.testing.assert_array_equal(gradient[0, :, :, 0], [[0, 3, 7, 0], [0, 0, 0, 0]])


def test_pooling_keeps_what_is_no_number(rng, kernels):
    """A training that diverged must be seen to have."""
    images = rng.standard_normal((4, 4, 4, 17), np.float32)
    for number, (y, x) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        images[number, y, x] = np.nan
    pooled = np.asarray(MaxPooling2D(2)(images))
    assert np.isnan(pooled[:, 0, 0]).all()
    assert np.isnan(pooled).sum() == 4 * 17
