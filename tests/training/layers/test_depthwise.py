"""Depthwise and separable convolutions against Keras's own, values and gradients.

Oracle: keras.layers on JAX, with XLA's automatic gradients. Cost: 10 s, all of it compiling. Run:
pytest tests/training/layers/test_depthwise.py
"""

import numpy as np
import pytest

from bakeoff.training.backend import keras
from bakeoff.training.layers.replace import FASTER
from tests.helpers.layers import agree

DEPTHWISE = [
    # images, window, strides, padding, kernels for each channel
    ((3, 9, 7, 2), (3, 3), (1, 1), "valid", 1),
    ((2, 8, 8, 5), (3, 2), (1, 1), "same", 3),
    ((2, 11, 10, 4), (5, 5), (2, 2), "same", 1),
    ((2, 11, 10, 3), (2, 3), (3, 3), "valid", 2),
]


@pytest.mark.parametrize("shape, window, strides, padding, each", DEPTHWISE)
@pytest.mark.parametrize("kind", ["DepthwiseConv2D", "SeparableConv2D"])
def test_convolution_of_every_channel_is_keras(
    kind, shape, window, strides, padding, each, rng, kernels
):
    images = rng.standard_normal(shape, np.float32)
    settings = {"strides": strides, "padding": padding, "depth_multiplier": each}
    settings |= {"bias_initializer": "random_normal", "activation": "tanh"}
    filters = [4] if kind == "SeparableConv2D" else []
    theirs = getattr(keras.layers, kind)(*filters, window, **settings)
    ours = FASTER[getattr(keras.layers, kind)](*filters, window, **settings)
    assert type(ours) is not type(theirs)
    agree(ours, theirs, images)
